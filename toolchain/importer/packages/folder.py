"""Every package below a folder or repository; of two builds of one release the later one counts."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from toolchain.edge.package_files import require_regular
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.importer.facts import Facts, Note
from toolchain.importer.packages.deb import read_deb
from toolchain.importer.packages.rpm import read_rpm

_READERS: dict[str, Callable[[Path, Processes], Facts]] = {".deb": read_deb, ".rpm": read_rpm}
_MOST = 2000


def package_paths(paths: Sequence[Path]) -> list[Path]:
    """The debs and rpms that are named or lie below a folder, sorted; raises UsageError."""
    found = sorted({path for given in paths for path in _below(given)})
    if not found:
        raise UsageError(
            f"{', '.join(map(str, paths))} holds no deb and no rpm",
            "name packages, or a folder or repository with packages",
        )
    if len(found) > _MOST:
        raise UsageError(
            f"there are {len(found)} packages, and {_MOST} is the most",
            "name the folder of this product alone",
        )
    return found


def _below(given: Path) -> Iterator[Path]:
    if not given.is_dir():
        if given.suffix not in _READERS:
            raise UsageError(f"{given} is no deb and no rpm by its name", "name packages")
        yield given
        return
    for path in given.rglob("*"):
        if path.suffix in _READERS and not path.name.endswith(".src.rpm") and path.is_file():
            yield path


def read_file(path: Path, processes: Processes) -> Facts:
    """One package; raises UsageError."""
    require_regular(path)
    return _READERS[path.suffix](path, processes)


def latest(found: Sequence[Facts]) -> tuple[tuple[Facts, ...], tuple[Note, ...]]:
    """One package for each name, release and format: the one with the highest revision."""
    from debian.debian_support import NativeVersion  # noqa: PLC0415  (slow to import)

    chosen: dict[tuple[object, ...], Facts] = {}
    notes = []
    for facts in found:
        key = (facts.name, facts.version, facts.format)
        other = chosen.setdefault(key, facts)
        if other is facts:
            continue
        newer = NativeVersion(facts.full_version) > NativeVersion(other.full_version)
        chosen[key], left = (facts, other) if newer else (other, facts)
        notes.append(Note(text="another build of the same release was taken", where=left.where))
    return tuple(chosen.values()), tuple(notes)
