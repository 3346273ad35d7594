"""The table of illegal states: what was asked of which host, and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Self

from toolchain.model.version import Version

from ..products import ROOT
from .commands import Kind
from .shards import Situation

TABLES = ROOT / "build/tables"


class Outcome(StrEnum):
    """What became of a command."""

    REFUSED = "refused"
    HELD = "held back"
    MOVED = "moved to a legal version"
    STOPPED = "installed, does not start"
    ILLEGAL = "ILLEGAL"


class Speaker(StrEnum):
    """Who gave the reason."""

    SOLVER = "solver"
    PROTECTION = "protection"
    PLUGIN = "dnf plugin"
    HOOK = "hook"
    SCRIPT = "script"
    START = "check at the start"
    NOBODY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command in one situation."""

    gates: str
    situation: Situation
    installed: Version
    kind: Kind
    command: str
    target: Version | None
    outcome: Outcome
    after: Mapping[str, str]
    speaker: Speaker
    sentence: str
    shards_named: tuple[str, ...]
    output: str

    def document(self) -> dict[str, object]:
        """The row as the artefact has it."""
        return {
            "gates": self.gates,
            **{name: str(state) for name, state in self.situation.shards},
            "installed": str(self.installed),
            "command": self.command,
            "target": None if self.target is None else str(self.target),
            "outcome": self.outcome.value,
            "after": dict(self.after),
            "speaker": self.speaker.value,
            "names": list(self.shards_named),
            "sentence": self.sentence,
        }


@dataclass(slots=True)
class Table:
    """Rows as they come, each a line of JSON; the counts as Markdown when it is closed."""

    name: str
    rows: list[Row] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")
        return self

    def __exit__(self, *_: object) -> None:
        self.path.with_suffix(".md").write_text(summary(self.name, self.rows))

    @property
    def path(self) -> Path:
        """The file with a line of JSON for each row; the summary stands beside it."""
        return TABLES / f"{self.name}.jsonl"

    def add(self, row: Row) -> None:
        with self._lock, self.path.open("a") as file:
            self.rows.append(row)
            file.write(json.dumps(row.document(), ensure_ascii=False) + "\n")

    def told(self, rows: Iterable[Row]) -> str:
        """Some of the rows, for the message of a test that fails."""
        found = list(rows)
        if not found:
            return ""
        lines = [json.dumps(row.document(), ensure_ascii=False) for row in found[:10]]
        last = f"{len(found)} of {len(self.rows)}, see {self.path}", found[0].output
        return "\n".join((*lines, *last))


def cells(rows: Iterable[Row]) -> set[tuple[Situation, Version, Version]]:
    """Which servers were asked for in which situation, and beside which installed one."""
    asked = ((row.situation, row.installed, row.target) for row in rows)
    return {(where, one, other) for where, one, other in asked if other is not None}


def summary(name: str, rows: Sequence[Row]) -> str:
    """How often each command was tried in all, then in each situation, and what came of it."""
    situations = dict.fromkeys(row.situation for row in rows)
    text = [
        f"# {name}",
        "",
        f"{len(situations)} situations, {len(cells(rows))} cells (a situation, the server installed,"
        f" the server asked for), {len(rows)} commands: {_outcomes(rows)}.",
        "",
        *_counts("gates", rows, lambda row: row.gates),
    ]
    for situation in situations:
        text += ["", *(f"- {shard}: {state}" for shard, state in situation.shards), ""]
        mine = [row for row in rows if row.situation == situation]
        text += _counts("installed", mine, lambda row: str(row.installed))
    return "\n".join((*text, ""))


def _counts(head: str, rows: Sequence[Row], first: Callable[[Row], str]) -> Iterator[str]:
    """A table with a line for each command beside what `first` says of a row."""
    yield f"| {head} | command | number | outcomes | reason given by |"
    yield "| --- | --- | ---: | --- | --- |"
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((first(row), row.command), []).append(row)
    for (value, command), mine in groups.items():
        spoken = ", ".join(sorted({row.speaker.value for row in mine} - {""}))
        yield f"| {value} | `{command}` | {len(mine)} | {_outcomes(mine)} | {spoken} |"


def _outcomes(rows: Iterable[Row]) -> str:
    counts = Counter(row.outcome for row in rows)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
