"""A finished package as the documents beside it describe it, and its package URL."""

from dataclasses import dataclass
from urllib.parse import quote

from toolchain.model.release import Format
from toolchain.plan.package import Package

# The vendor in the URLs of dependencies (purl-spec, types deb and rpm), by distribution.
_VENDORS = {
    "el": "redhat",
    "rhel": "redhat",
    "rocky": "rocky-linux",
    "amazon": "amazon",
    "sles": "suse",
}
_USUAL = {Format.DEB: "debian", Format.RPM: "redhat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A package file with what was measured of it.

    `architecture` is the format's own name for it; `contents` are the regular files in the
    package with the SHA-256 of each in hex, sorted by path; `tool` is Interlock's own version.
    """

    package: Package
    format: Format
    architecture: str
    distributions: tuple[str, ...]
    file: str
    sha256: str
    contents: tuple[tuple[str, str], ...]
    tool: str


def _vendor(described: Described) -> str:
    for distribution in described.distributions:
        name = distribution.partition("-")[0]
        return _VENDORS.get(name, name)
    return _USUAL[described.format]


def own_url(described: Described) -> str:
    """The package's URL, the product as its vendor."""
    package = described.package
    version = quote(package.full_version, safe="")
    architecture = f"arch={described.architecture}"
    kind = described.format.value
    return f"pkg:{kind}/{package.product}/{package.name}@{version}?{architecture}"


def dependency_url(described: Described, name: str) -> str:
    """The URL of a package that it depends on, any version of it."""
    return f"pkg:{described.format.value}/{_vendor(described)}/{quote(name, safe='')}"
