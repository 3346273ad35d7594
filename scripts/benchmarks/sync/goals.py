"""What the synchronisation should cost and keep, held against what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.sync.contestants import (
    AFTER,
    DUAL_WRITING,
    FILLED,
    FILLING,
    VIEW,
    interlock,
)
from benchmarks.sync.expand import Expanded
from benchmarks.sync.race import Result, one_form

VIEW_AGAINST_ALONE = 0.95
VIEW_AGAINST_DUAL = 2.0
EXPAND_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal in words, what was measured, and whether that meets it."""

    goal: str
    measured: str
    met: bool


def goals(results: Mapping[str, Result], expanded: Expanded | None) -> Iterator[Goal]:
    """The goals that can be judged by what was measured."""
    view, alone, dual = results[VIEW], one_form(results), results[DUAL_WRITING]
    yield _speed(
        f"a view at {VIEW_AGAINST_ALONE} of one form or more", view, alone, VIEW_AGAINST_ALONE
    )
    yield _speed(
        f"a view at {VIEW_AGAINST_DUAL:g} times dual writes or more", view, dual, VIEW_AGAINST_DUAL
    )
    for key, words in ((FILLING, "while it is filled"), (FILLED, "filled")):
        if key not in results:
            continue
        yield _speed(f"a copy, {words}, no slower than dual writes", results[key], dual, 1)
    ours = [results[contestant.key] for contestant in interlock()]
    deadlocks = sum(result.deadlocks for result in ours)
    theirs = results[AFTER].deadlocks
    yield Goal(
        goal="no deadlock where two AFTER triggers have them",
        measured=f"{deadlocks}, AFTER triggers {theirs}",
        met=deadlocks == 0 and theirs > 0,
    )
    wrong = sum(
        result.verdict.lost_updates + result.verdict.stray_rows
        for result in ours
        if result.verdict is not None
    )
    yield Goal(goal="no lost update, no stray row", measured=str(wrong), met=wrong == 0)
    if expanded is not None:
        slowest = max(expanded.seconds)
        yield Goal(
            goal=f"{expanded.rows:,} rows expanded in less than {EXPAND_SECONDS:.0f} s",
            measured=f"{slowest:.2f} s at worst",
            met=slowest < EXPAND_SECONDS,
        )


def _speed(words: str, ours: Result, theirs: Result, least: float) -> Goal:
    """Judged by CPU time: by the clock it is also told, but that is everybody's on the machine."""
    clock, cpu = ours.against(theirs), ours.cpu_against(theirs)
    return Goal(
        goal=f"{words}, by CPU time",
        measured=f"{cpu:.2f}, and {clock:.2f} by the clock",
        met=cpu >= least,
    )
