"""What a configuration copies: globs and directories expanded, inside its own directory."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from posixpath import basename

from toolchain.errors import UsageError
from toolchain.importer.facts import Installed, Kind
from toolchain.importer.texts import inside, read_text

_GLOB = set("*?[")
_MOST = 20_000
_LONGEST_SCRIPT = 1 << 20


def copied(one: Installed, base: Path, *, tree: bool = False) -> Iterator[Installed]:
    """The entries for one source and its target; raises UsageError where it leads out.

    Sources that are not there yet stay as they are written: a build makes them.
    """
    if one.kind in (Kind.DIRECTORY, Kind.LINK, Kind.SPECIAL) or not one.source:
        yield one
        return
    source = one.source.removeprefix("./")
    if source.startswith("/") or ".." in source.split("/"):
        raise UsageError(
            f"{one.source} leads out of {base}", "copy it to where the configuration stands"
        )
    if _GLOB & set(source):
        found = sorted(path for path in base.glob(source) if path.is_file())
        if not found:
            yield replace(one, source=source)
        for path in found[:_MOST]:
            name = path.relative_to(base).as_posix()
            into = one.path if one.path.endswith("/") or len(found) > 1 else ""
            target = f"{one.path.rstrip('/')}/{path.name}" if into else one.path
            yield replace(one, path=target, source=name)
        return
    place = base / source
    if place.is_dir() and inside(base, place):
        for path in sorted(place.rglob("*"))[:_MOST]:
            if path.is_file() and inside(base, path):
                below = path.relative_to(place).as_posix()
                into = (
                    one.path.rstrip("/")
                    if tree or not one.path.endswith("/")
                    else (f"{one.path.rstrip('/')}/{basename(source.rstrip('/'))}")
                )
                yield replace(one, path=f"{into}/{below}", source=path.relative_to(base).as_posix())
        return
    target = f"{one.path}{basename(source)}" if one.path.endswith("/") else one.path
    yield replace(one, path=target, source=source)


def script_text(base: Path, name: str) -> str:
    """The text of a script or unit beside a configuration; its name where it is not there."""
    path = base / name
    if path.is_file() and inside(base, path):
        return read_text(path, _LONGEST_SCRIPT)
    return f"(the file {name})"


def unit_texts(base: Path, sources: Mapping[str, str]) -> dict[str, str]:
    """The texts of the units that are there to be read, by where they are installed."""
    return {
        path: script_text(base, source)
        for path, source in sources.items()
        if (base / source).is_file() and inside(base, base / source)
    }
