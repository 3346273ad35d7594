"""Which packages must be made again, and which files of an earlier build belong to none."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.build.manifest import Built
from toolchain.build.sources import Sources
from toolchain.build.targets import Planned
from toolchain.edge.digests import Digests
from toolchain.model.release import Format


def stale_packages(
    packages: Sequence[Planned],
    sources: Sources,
    earlier: Mapping[str, Built],
    output: Path,
    digests: Digests,
) -> list[Planned]:
    """What was made from other inputs, or isn't there as it was made; raises OSError.

    The rpms of a release are made together: their headers name the spec that they come from.
    """
    stale = {
        file
        for file, inputs in sources.inputs.items()
        if not _current(earlier.get(file), inputs, output, digests)
    }
    releases = {
        planned.release.version
        for planned in packages
        if planned.format is Format.RPM and planned.file_name in stale
    }
    return [
        planned
        for planned in packages
        if planned.file_name in stale
        or (planned.format is Format.RPM and planned.release.version in releases)
    ]


def _current(known: Built | None, inputs: str, output: Path, digests: Digests) -> bool:
    """Whether a package and what stands beside it are there as its inputs make them."""
    if known is None or known.inputs != inputs:
        return False
    for name, digest in ((known.file, known.sha256), *known.companions):
        path = output / name
        if not path.is_file() or digests.of(path) != digest:
            return False
    return True


def without_a_spec(
    product: str, sources: Sources, earlier: Mapping[str, Built]
) -> dict[str, Built]:
    """What an earlier build made of releases without a spec now, or for targets that are gone."""
    return {
        file: row
        for file, row in earlier.items()
        if row.product == product and file not in sources.inputs
    }
