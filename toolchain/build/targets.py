"""Which packages a build makes: every release in every format for every architecture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.errors import SpecError
from toolchain.model.release import Architecture, Format, Product, Release
from toolchain.plan.compression import Compression, choose_compression
from toolchain.plan.halves import database_package, server_package
from toolchain.plan.manifest import SqlReader
from toolchain.plan.materials import is_spec, materials
from toolchain.plan.package import Package
from toolchain.plan.payload import Listing
from toolchain.render.rpm import rpm_architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One package in one format, and the files of the product that it is made from.

    `environment` holds the variables' values, which no file does.
    """

    package: Package
    release: Release
    format: Format
    compression: Compression
    distributions: tuple[str, ...]
    materials: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """The name by which repositories of this format know the package."""
        package = self.package
        if self.format is Format.DEB:
            return f"{package.name}_{package.full_version}_{package.architecture.value}.deb"
        return f"{package.name}-{package.full_version}.{self.rpm_architecture}.rpm"

    @property
    def specs(self) -> tuple[str, ...]:
        """Those of its materials that are specs: they lie at the product's top."""
        return tuple(path for path in self.materials if is_spec(path))

    @property
    def architecture(self) -> str:
        """The format's own name of the architecture."""
        if self.format is Format.DEB:
            return self.package.architecture.value
        return self.rpm_architecture

    @property
    def rpm_architecture(self) -> str:
        """Rpm's name of the architecture."""
        return rpm_architecture(self.package.architecture)


def plan_packages(
    product: Product,
    releases: Sequence[Release],
    listing: Listing,
    sql: SqlReader,
) -> Iterator[Planned]:
    """Every package of these releases; raises SpecError on what only a target shows."""
    for target in product.targets:
        try:
            compression = choose_compression(target)
        except ValueError as error:
            message, _, cure = str(error).partition(": ")
            raise SpecError(f"{target.origin}: {message}", cure) from error
        for release in releases:
            pair = [
                server_package(product, release, architecture, listing)
                for architecture in target.architectures
            ]
            if release.database.packaged:
                pair.append(database_package(product, release, sql))
            for package in pair:
                yield Planned(
                    package=package,
                    release=release,
                    format=target.format,
                    compression=compression,
                    distributions=target.distributions,
                    materials=materials(product, release, package),
                    environment=product.environment,
                )


def architectures_last(planned: Planned) -> tuple[bool, str]:
    """Sort key that puts `all` and `noarch` packages behind those of a machine."""
    architecture = planned.package.architecture
    return architecture is Architecture.ALL, architecture.value
