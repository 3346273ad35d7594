"""Plain SQL files whose names begin with a number: `0012_split.sql`, `12-split.down.sql`."""

import re
from itertools import pairwise
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.texts import inside, read_text
from toolchain.model.change import Phase

_NAME = re.compile(
    r"(?P<number>[0-9]+(?:[._-][0-9]+)*)[._-]+(?:(?P<mark>pre|post)[_-])?(?P<title>[^.]+?)"
    r"(?P<way>\.up|\.down|\.undo)?\.sql"
)
_MARKS = {"pre": Phase.EXPAND, "post": Phase.CONTRACT}


def numbers_of(text: str) -> tuple[int, ...]:
    """The numbers of a version whose parts dots, underscores or hyphens divide."""
    return tuple(int(part) for part in re.split(r"[._-]", text) if part)


def sql_files(folder: Path) -> list[Path]:
    """The SQL files below a folder, sorted, links that lead out of it left out."""
    try:
        found = sorted(path for path in folder.rglob("*.sql") if path.is_file())
    except OSError as error:
        raise UsageError(f"{folder} can't be read: {error.strerror}", "make it readable") from error
    return [path for path in found if inside(folder, path)]


def read_numbered(folder: Path) -> Folder:
    """The migrations by number; raises UsageError where two have the same, or none has any."""
    up: dict[tuple[tuple[int, ...], str, str], Path] = {}
    down: dict[tuple[tuple[int, ...], str], Path] = {}
    notes = []
    for path in sql_files(folder):
        match = _NAME.fullmatch(path.name)
        if match is None:
            notes.append(Note(text="no number begins its name; not taken", where=str(path)))
            continue
        numbers, title = numbers_of(match["number"]), match["title"]
        if match["way"] in (".down", ".undo"):
            down[numbers, title] = path
        elif (other := up.setdefault((numbers, title, match["mark"] or ""), path)) is not path:
            raise UsageError(f"{path} and {other} are the same migration", "take one out")
    if not up:
        raise UsageError(
            f"{folder} has no SQL file whose name begins with a number",
            "name the folder of the migrations, or say which tool made it with --tool",
        )
    _refuse_twins(sorted(up), up)
    migrations = tuple(
        Migration(
            key=path.stem.removesuffix(".up"),
            path=str(path.relative_to(folder)),
            where=str(path),
            title=title,
            sql=read_text(path),
            undo=read_text(down[numbers, title]) if (numbers, title) in down else None,
            numbers=numbers,
            phase=_MARKS.get(mark),
        )
        for (numbers, title, mark), path in sorted(up.items())
    )
    return Folder(tool="numbered SQL", migrations=migrations, notes=tuple(notes))


def _refuse_twins(
    keys: list[tuple[tuple[int, ...], str, str]],
    paths: dict[tuple[tuple[int, ...], str, str], Path],
) -> None:
    for before, after in pairwise(keys):
        if before[0] == after[0]:
            raise UsageError(
                f"{paths[before]} and {paths[after]} have the same number, so nothing says which"
                " of them comes first",
                "give one of them another number",
            )
