"""Flyway's folders: V, U, R and B scripts with placeholders.

The names are those of Flyway's documentation: prefix, version, two underscores, description.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.migrations.flyway_settings import Placeholders
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.migrations.numbered import numbers_of, sql_files

_VERSIONED = re.compile(r"([VUB])([0-9]+(?:[._][0-9]+)*)(?:__(.*))?\.sql")
_REPEATABLE = re.compile(r"R__(.+)\.sql")
_ALMOST = re.compile(r"(?:[VUB]_*[0-9]|R_).*")
_CALLBACK = re.compile(r"(?:before|after|create)[A-Z].*")
# The folders of Spring's {vendor} for other databases; those of PostgreSQL are the ones to take.
_OURS = frozenset({"postgresql", "postgres"})
_OTHERS = frozenset({
    "cockroachdb", "db2", "derby", "h2", "hsqldb", "mariadb", "mssql", "mysql", "oracle", "sqlite",
    "sqlserver",
})  # fmt: skip


def is_flyway(folder: Path) -> bool:
    """Whether a folder holds scripts that Flyway would run."""
    return any(
        path.name[0] == "V" and _VERSIONED.fullmatch(path.name) for path in sql_files(folder)
    )


def read_flyway(folder: Path, values: Mapping[str, str]) -> Folder:
    """The scripts in Flyway's order; raises UsageError for a twin or an unknown placeholder.

    `values` are those of placeholders, before what a flyway.conf near the folder says.
    """
    placeholders = Placeholders(folder, values)
    versioned: dict[tuple[int, ...], tuple[str, Path]] = {}
    undos: dict[tuple[int, ...], Path] = {}
    repeatable: dict[str, Path] = {}
    notes: list[Note] = []
    baselines: dict[tuple[int, ...], tuple[str, Path]] = {}
    for path in _of_postgresql(folder, sql_files(folder), notes):
        if (again := _REPEATABLE.fullmatch(path.name)) is not None:
            if (other := repeatable.setdefault(again[1], path)) is not path:
                raise _twins(path, other, "the same name")
            continue
        match = _VERSIONED.fullmatch(path.name)
        if match is None:
            notes.append(_passed_over(path))
            continue
        numbers = _without_zeros(numbers_of(match[2]))
        if match[1] == "U":
            undos[numbers] = path
            continue
        scripts = baselines if match[1] == "B" else versioned
        if numbers in scripts:
            raise _twins(path, scripts[numbers][1], "the same version")
        scripts[numbers] = (match[3] or "", path)
    baseline = max(baselines, default=())
    if baseline:
        later = {numbers: each for numbers, each in versioned.items() if numbers > baseline}
        versioned = {baseline: baselines[baseline], **later}
        notes.append(
            Note(
                text="the baseline script stands for all versions up to its own", where=str(folder)
            )
        )
    for program in sorted((*folder.rglob("[VR]*__*.java"), *folder.rglob("[VR]*__*.kt"))):
        text = "a migration that is a program: write its SQL by hand"
        notes.append(Note(text=text, where=str(program), decide=True))
    migrations = [
        Migration(
            key=path.stem,
            path=str(path.relative_to(folder)),
            where=str(path),
            title=title.replace("_", " ") or path.stem,
            sql=placeholders.text_of(path),
            undo=placeholders.text_of(undos[numbers])
            if numbers in undos and numbers != baseline
            else None,
            numbers=numbers,
        )
        for numbers, (title, path) in sorted(versioned.items())
    ]
    migrations += [
        Migration(
            key=path.stem,
            path=str(path.relative_to(folder)),
            where=str(path),
            title=title.replace("_", " "),
            sql=placeholders.text_of(path),
            last=True,
        )
        for title, path in sorted(repeatable.items())
    ]
    placeholders.require_all()
    if not migrations:
        raise UsageError(
            f"{folder} has no script of Flyway", "name the folder with V1__x.sql and its like"
        )
    return Folder(tool="Flyway", migrations=tuple(migrations), notes=tuple(notes))


def _of_postgresql(folder: Path, paths: Sequence[Path], notes: list[Note]) -> Iterator[Path]:
    """The scripts without those for other databases, where the folder has both."""
    places = [(path, set(path.relative_to(folder).parts[:-1])) for path in paths]
    both = any(place & _OURS for _, place in places)
    for path, place in places:
        if both and place & _OTHERS:
            text = "for another database than PostgreSQL; not taken"
            notes.append(Note(text=text, where=str(path)))
        else:
            yield path


def _twins(path: Path, other: Path, what: str) -> UsageError:
    """The error about two scripts between which Flyway would not choose either."""
    cure = "give one of them another"
    if path.parent != other.parent:
        cure = (
            "give --migrations the folder of one module or release line, as flyway.locations does,"
            " or give one of them another"
        )
    return UsageError(f"{path} and {other} have {what}", cure)


def _passed_over(path: Path) -> Note:
    if _ALMOST.fullmatch(path.name):
        text = (
            "no name of Flyway's (V1__what.sql, with two underscores), which passes it over;"
            " not taken"
        )
        return Note(text=text, where=str(path), decide=True)
    if _CALLBACK.fullmatch(path.name):
        text = "a callback, which Flyway runs at other moments; not taken"
        return Note(text=text, where=str(path), decide=True)
    return Note(text="Flyway never runs it; not taken", where=str(path))


def _without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Flyway takes 1.0 and 1 for the same version."""
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers
