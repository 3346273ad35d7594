"""A sqitch project: the plan with its tags, and the scripts of deploy, revert and verify.

The grammar is that of sqitch's manual page `sqitchplan`: a line is a pragma, a change or a tag,
with dependencies in brackets, a time stamp, a planner and a note.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.migrations.psql import psql_text
from toolchain.importer.texts import inside, read_text, refuse

_NAME = r"[^\s\[\]@:#+-][^\s\[\]@:#]*"
_CHANGE = re.compile(rf"[+]?\s*({_NAME})(?:\s+\[([^\]]*)\])?(?:\s+(\d{{4}}-\d\d-\d\d)T\S+.*)?")
_TAG = re.compile(rf"@({_NAME})(?:\s+(\d{{4}}-\d\d-\d\d)T\S+.*)?")
_SECTION = re.compile(r"\s*\[([^\]]*)\]\s*")
_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
_PATHS = ("top_dir", "plan_file", "deploy_dir", "revert_dir", "verify_dir", "extension")
_ENGINES = ("pg", "cockroach")
_VARIABLES = ('core "variables"', 'deploy "variables"')


@dataclass(slots=True)
class _Change:
    name: str
    line: int
    others: tuple[str, ...] = ()
    tag: str = ""
    reworked_at: str = ""


def plan_of(folder: Path) -> Path | None:
    """The plan of a folder or of the project that its sqitch.conf describes; None without one."""
    settings = _settings(folder)
    top = folder / settings.get("top_dir", ".")
    plan = folder / settings["plan_file"] if "plan_file" in settings else top / "sqitch.plan"
    return plan if plan.is_file() and inside(folder, plan) else None


def read_sqitch(folder: Path, values: Mapping[str, str]) -> Folder:
    """The changes in the plan's order, each with the tag after it; raises UsageError.

    `values` are those of psql's variables, before what sqitch.conf says of them.
    """
    plan = plan_of(folder)
    if plan is None:
        raise UsageError(f"{folder} has no sqitch.plan", "name the folder that holds it")
    for section, key, value in _configured(folder):
        if (section, key) == ("core", "engine") and value not in _ENGINES:
            raise UsageError(
                f"{folder}/sqitch.conf says the engine {value}, and shards are PostgreSQL",
                "give the project's folder for pg",
            )
    settings = _settings(folder)
    variables = {**_variables(folder), **values}
    changes, days = _read_plan(plan)
    notes = []
    migrations = []
    for change in changes:
        # A reworked change keeps its former script under the tag's name.
        script = f"{change.name}@{change.reworked_at}" if change.reworked_at else change.name
        found = {
            kind: _script(folder, plan, settings, kind, script)
            for kind in ("deploy", "revert", "verify")
        }
        deploy, revert = found["deploy"], found["revert"]
        if deploy is None:
            raise refuse(
                str(plan), change.line, f"no deploy script belongs to {change.name}", "add it"
            )
        if change.others:
            text = f"it needs {', '.join(change.others)} of another project, imported apart"
            where = f"{plan}:{change.line}"
            notes.append(Note(text=text, where=where, decide=True))
        if found["verify"] is not None:
            notes.append(Note(text="a verify script; not taken", where=str(found["verify"])))
        migrations.append(
            Migration(
                key=script,
                path=str(deploy.relative_to(folder)),
                where=str(deploy),
                title=change.name,
                sql=psql_text(deploy, folder, variables),
                undo=psql_text(revert, folder, variables) if revert is not None else None,
                tag=change.tag,
            )
        )
    return Folder(tool="sqitch", migrations=tuple(migrations), days=tuple(days), notes=tuple(notes))


def _settings(folder: Path) -> dict[str, str]:
    """Where sqitch.conf says that things are, whichever engine it says it for."""
    return {key: value for _, key, value in _configured(folder) if key in _PATHS}


def _variables(folder: Path) -> dict[str, str]:
    return {key: value for section, key, value in _configured(folder) if section in _VARIABLES}


def _configured(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Section, key and value of each line of sqitch.conf."""
    path = folder / "sqitch.conf"
    section = ""
    for line in read_text(path).splitlines() if path.is_file() else ():
        if (begun := _SECTION.fullmatch(line)) is not None:
            section = begun[1]
        elif (match := _SETTING.fullmatch(line)) is not None:
            yield section, match[1], match[2].strip('"')


def _script(
    folder: Path, plan: Path, settings: dict[str, str], kind: str, name: str
) -> Path | None:
    where = folder / settings[f"{kind}_dir"] if f"{kind}_dir" in settings else plan.parent / kind
    path = where / f"{name}.{settings.get('extension', 'sql')}"
    return path if path.is_file() and inside(folder, path) else None


def _read_plan(plan: Path) -> tuple[list[_Change], list[tuple[str, date]]]:
    changes: list[_Change] = []
    days: list[tuple[str, date]] = []
    last: dict[str, _Change] = {}
    tagged = 0
    for number, raw in enumerate(read_text(plan).splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if not line or line.startswith("%"):
            continue
        if (tag := _TAG.fullmatch(line)) is not None:
            for change in changes[tagged:]:
                change.tag = tag[1]
            tagged = len(changes)
            if tag[2]:
                days.append((tag[1], date.fromisoformat(tag[2])))
        elif (match := _CHANGE.fullmatch(line)) is not None and not line.startswith("-"):
            others = tuple(word for word in (match[2] or "").split() if ":" in word)
            change = _Change(match[1], number, others)
            if (before := last.get(change.name)) is not None:
                if not before.tag:
                    raise refuse(
                        str(plan),
                        number,
                        f"{change.name} stands twice without a tag between",
                        "add it",
                    )
                before.reworked_at = _tag_before(changes, before)
            last[change.name] = change
            changes.append(change)
        else:
            raise refuse(str(plan), number, "this is no change, tag or pragma", "mend the line")
    if not changes:
        raise UsageError(f"{plan} has no change", "name the project's folder")
    return changes, days


def _tag_before(changes: list[_Change], change: _Change) -> str:
    """The last tag at the moment of the rework, under which sqitch saved the former script."""
    tags = [each.tag for each in changes[changes.index(change) :] if each.tag]
    return tags[-1]
