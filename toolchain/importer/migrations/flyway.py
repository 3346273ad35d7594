"""Flyway's folders: V, U, R and B scripts with placeholders.

The names are those of Flyway's documentation: prefix, version, two underscores, description; a file
NAME.sql.conf beside a script configures that script alone.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.migrations.numbered import numbers_of, sql_files
from toolchain.importer.texts import read_text, refuse

_VERSIONED = re.compile(r"([VUB])([0-9]+(?:[._][0-9]+)*)(?:__(.*))?\.sql")
_REPEATABLE = re.compile(r"R__(.+)\.sql")
_PLACEHOLDER = re.compile(r"\$\{([^{}\n]{1,200})\}")
_SETTING = re.compile(r"\s*(?:flyway\.)?([A-Za-z.]+)\s*=\s*\"?([^\"\n]*?)\"?\s*")
_CONFIGURATIONS = ("flyway.conf", "flyway.toml", "conf/flyway.conf")


def is_flyway(folder: Path) -> bool:
    """Whether a folder holds scripts that Flyway would run."""
    return any(
        path.name[0] == "V" and _VERSIONED.fullmatch(path.name) for path in sql_files(folder)
    )


def read_flyway(folder: Path, values: Mapping[str, str]) -> Folder:
    """The scripts in Flyway's order; raises UsageError for a twin or an unknown placeholder.

    `values` are those of placeholders, before what a flyway.conf near the folder says.
    """
    settings = _settings(folder)
    known = {
        name.removeprefix("placeholders."): value
        for name, value in settings.items()
        if name.startswith("placeholders.")
    }
    known |= values
    known.setdefault("flyway:defaultSchema", settings.get("defaultSchema", "public"))
    replaces = settings.get("placeholderReplacement", "true").lower() != "false"
    versioned: dict[tuple[int, ...], tuple[str, Path]] = {}
    undos: dict[tuple[int, ...], Path] = {}
    repeatable: list[tuple[str, Path]] = []
    notes: list[Note] = []
    baseline: tuple[int, ...] = ()
    for path in sql_files(folder):
        if (again := _REPEATABLE.fullmatch(path.name)) is not None:
            repeatable.append((again[1], path))
            continue
        match = _VERSIONED.fullmatch(path.name)
        if match is None:
            notes.append(
                Note(text="Flyway runs it at other moments or never; not taken", where=str(path))
            )
            continue
        numbers = _without_zeros(numbers_of(match[2]))
        if match[1] == "U":
            undos[numbers] = path
            continue
        if match[1] == "B":
            baseline = max(baseline, numbers)
        elif numbers in versioned:
            raise UsageError(
                f"{path} and {versioned[numbers][1]} have the same version",
                "give one of them another",
            )
        versioned[numbers] = (match[3] or "", path)
    if baseline:
        notes.append(
            Note(
                text="the baseline script stands for all versions up to its own", where=str(folder)
            )
        )
    for java in sorted(folder.rglob("[VR]*__*.java")):
        notes.append(
            Note(text="a migration in Java: write its SQL by hand", where=str(java), decide=True)
        )

    def text_of(path: Path) -> str:
        text = read_text(path)
        return _replaced(text, str(path), known) if replaces else text

    migrations = [
        Migration(
            key=path.stem,
            path=str(path.relative_to(folder)),
            where=str(path),
            title=title.replace("_", " ") or path.stem,
            sql=text_of(path),
            undo=text_of(undos[numbers]) if numbers in undos else None,
            numbers=numbers,
        )
        for numbers, (title, path) in sorted(versioned.items())
        if numbers >= baseline
    ]
    migrations += [
        Migration(
            key=path.stem,
            path=str(path.relative_to(folder)),
            where=str(path),
            title=title.replace("_", " "),
            sql=text_of(path),
            last=True,
        )
        for title, path in sorted(repeatable)
    ]
    if not migrations:
        raise UsageError(
            f"{folder} has no script of Flyway", "name the folder with V1__x.sql and its like"
        )
    return Folder(tool="Flyway", migrations=tuple(migrations), notes=tuple(notes))


def _without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Flyway takes 1.0 and 1 for the same version."""
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers


def _settings(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for above in (folder, folder.parent):
        for name in _CONFIGURATIONS:
            path = above / name
            if not path.is_file():
                continue
            prefix = ""
            for line in read_text(path).splitlines():
                if section := re.fullmatch(r"\s*\[(?:flyway\.?)?([\w.]*)\]\s*", line):
                    prefix = f"{section[1]}." if section[1] else ""
                elif (match := _SETTING.fullmatch(line)) and not line.lstrip().startswith("#"):
                    found.setdefault(prefix + match[1], match[2])
    return found


def _replaced(text: str, where: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in known:
            line = text.count("\n", 0, match.start()) + 1
            raise refuse(
                where,
                line,
                f"the placeholder {match[0]} has no value",
                f"give it: --define {name}=VALUE",
            )
        return known[name]

    return _PLACEHOLDER.sub(value, text)
