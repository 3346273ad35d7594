"""Two servers of different forms on one shard: whether each sees what the other writes.

Statements of the same name in two releases are the same operation, and a sample at the same place
says the same in both. What only one of them has may be a part of the common operation before it (a
table was split) or one of its own (a new feature): it counts as either.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from toolchain.matrix.measured.looks import Look, Reader, Result, Row

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A reader that saw something else than it should, after the statements `wrote` of a writer.

    One of them wrote it: all was well before the first, and not after the last. `expected` and
    `found` are rows, spelled. `own` are the statements of the reader's own server after which it
    sees what is expected; where there are none, the writer's server sees it so.
    """

    reader: Reader
    wrote: tuple[str, ...]
    expected: str
    found: str
    own: tuple[str, ...] = ()


def unlike_the_writer(
    looks: Sequence[Look], pairs: Sequence[tuple[Reader, Reader]]
) -> Iterator[Missed]:
    """Where two servers look at the same rows and see different values under the same name.

    `pairs` are a reader of the writer's server and its namesake. Columns of another type are
    another matter.
    """
    agreed = dict.fromkeys((ours for _, ours in pairs), 0)
    for at, look in enumerate(looks):
        for theirs, ours in pairs:
            expected, found = look.results.get(theirs), look.results.get(ours)
            if expected is None or found is None:
                continue
            shared = _shared(expected, found)
            if _differ(expected, found, shared):
                wrote = _between(looks, agreed[ours], at)
                yield _missed(ours, shared, expected, found, wrote=wrote)
            elif shared:
                agreed[ours] = at + 1


def unlike_its_own(
    theirs: Sequence[Look],
    ours: Sequence[Look],
    again: Sequence[Look],
    common: frozenset[str],
    ignored: frozenset[str],
    alike: frozenset[str] = frozenset(),
) -> Iterator[Missed]:
    """Where a reader sees other values than after the same operation of its own server.

    Its server's operations ran twice (`ours`, `again`): a column whose values two runs do not
    agree on holds a generated number or the time, and tells nothing. `ignored` are columns that
    one of the two servers cannot know. Statements that both send in the same words (`alike`) are
    not to blame.
    """
    own = dict(_operations(ours, common))
    agreed: dict[Reader, tuple[int, int]] = {}
    for operation, written in _operations(theirs, common):
        mine = own.get(operation, [])
        for reader in {each: None for at in mine for each in ours[at].results}:
            comparisons = [
                (at, place, expected, found, _steady(expected, other, ignored))
                for at, place in product(mine, written)
                if (expected := ours[at].results.get(reader)) is not None
                and (other := again[at].results.get(reader)) is not None
                and (found := theirs[place].results.get(reader)) is not None
            ]
            same = [each for each in comparisons if not _differ(*each[2:])]
            if same:
                at, place, _, _, columns = same[0]
                if columns:
                    agreed[reader] = at + 1, place + 1
            elif comparisons:
                at, place, wanted, seen, columns = comparisons[-1]
                here, there = agreed.get(reader, (0, 0))
                wrote = _between(theirs, there, place, alike)
                yield _missed(
                    reader, columns, wanted, seen, wrote=wrote, own=_between(ours, here, at, alike)
                )


def _operations(
    looks: Sequence[Look], common: frozenset[str]
) -> list[tuple[tuple[frozenset[str], str], list[int]]]:
    """Each common operation: what was executed by then and its name, and the looks that are its.

    Two servers may do their operations in another order; only after the same ones they compare.
    """
    found: list[tuple[tuple[frozenset[str], str], list[int]]] = []
    executed: frozenset[str] = frozenset()
    for at, look in enumerate(looks):
        if look.after in common:
            executed |= {look.after}
            found.append(((executed, look.after), [at]))
        elif found:
            found[-1][1].append(at)
    return found


def _between(
    looks: Sequence[Look], first: int, last: int, but: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The statements between two looks, the last one's own too; `but` those that are not it."""
    names = [look.after for look in looks[first : last + 1]]
    return tuple(name for name in names if name not in but) or (looks[last].after,)


def _differ(expected: Result, found: Result, columns: Sequence[str]) -> bool:
    return bool(columns) and expected.project(columns) != found.project(columns)


def _shared(one: Result, other: Result) -> list[str]:
    """The columns that both have once, by name and type."""
    known = dict(zip(one.columns, one.types, strict=True))
    return [
        column
        for column, kind in zip(other.columns, other.types, strict=True)
        if known.get(column) == kind
        and one.columns.count(column) == 1
        and other.columns.count(column) == 1
    ]


def _steady(one: Result, other: Result, ignored: frozenset[str]) -> list[str]:
    """The columns that hold the same values in two runs."""
    if one.columns != other.columns or len(one.rows) != len(other.rows):
        return []
    return [
        column
        for column in one.columns
        if column not in ignored
        and one.columns.count(column) == 1
        and one.project((column,)) == other.project((column,))
    ]


def _missed(
    reader: Reader,
    columns: Sequence[str],
    expected: Result,
    found: Result,
    *,
    wrote: tuple[str, ...],
    own: tuple[str, ...] = (),
) -> Missed:
    wanted, seen = expected.project(columns), found.project(columns)
    return Missed(
        reader=reader,
        wrote=wrote,
        expected=_spell(columns, wanted - seen, expected.spelled(columns)),
        found=_spell(columns, seen - wanted, found.spelled(columns)),
        own=own,
    )


def _spell(columns: Sequence[str], rows: "Counter[Row]", spelled: Mapping[Row, Row]) -> str:
    """The first of the rows that differ, as it was answered; NULL is null."""
    if not rows:
        return "no such row"
    least = min(rows, key=lambda row: [(value is None, value or "") for value in row])
    first = spelled[least]
    return json.dumps(dict(zip(columns, map(_short, first), strict=True)), ensure_ascii=False)


def _short(value: str | None) -> str | None:
    if value is None or len(value) <= _LONGEST_VALUE:
        return value
    return f"{value[:_LONGEST_VALUE]}…"
