"""The last look before publication in `dist/`: a package says what its plan says, and no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.build.targets import Planned
from toolchain.edge.process import Processes
from toolchain.edge.readback import BuiltPackage, read_deb, read_rpms
from toolchain.errors import ToolError
from toolchain.model.release import Format


def _difference(planned: Planned, built: BuiltPackage) -> str | None:
    package = planned.package
    architecture = (
        package.architecture.value if planned.format is Format.DEB else planned.rpm_architecture
    )
    want = (package.name, package.full_version, architecture)
    have = (built.name, built.version, built.architecture)
    if want != have:
        return f"is {' '.join(have)} where the plan says {' '.join(want)}"
    if built.unexpected:
        return f"has relations that no plan makes: {', '.join(built.unexpected)}"
    wanted = frozenset(package.all_relations(planned.format))
    lost, added = wanted - built.relations, built.relations - wanted
    if lost:
        return f"lacks '{min(map(str, lost))}'"
    if added:
        return f"carries '{min(map(str, added))}', which is not in the plan"
    return None


def prove(
    packages: Sequence[Planned],
    files: Mapping[str, frozenset[str]],
    directory: Path,
    processes: Processes,
) -> None:
    """Compare built packages with their plans; raises ToolError naming the first difference.

    `files` holds the paths that an rpm must list, by the package's file name: rpm finds its files
    by patterns, while a deb is packed from the staged tree itself.
    """
    debs = [planned for planned in packages if planned.format is Format.DEB]
    rpms = [planned for planned in packages if planned.format is Format.RPM]
    built = [read_deb(directory / planned.file_name) for planned in debs]
    if rpms:
        built += read_rpms([directory / planned.file_name for planned in rpms], processes)
    for planned, found in zip((*debs, *rpms), built, strict=True):
        difference = _difference(planned, found)
        if difference is None and found.files is not None:
            odd = found.files ^ files[planned.file_name]
            difference = f"is wrong about {min(odd)}" if odd else None
        if difference is not None:
            raise ToolError(
                f"{planned.file_name} {difference}",
                "a template in the product's packaging/ directory changes it; mend that",
            )
