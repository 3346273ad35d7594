"""Two servers of different forms on one shard: whether each sees what the other writes.

Statements of the same name in two releases are the same operation, and a sample at the same place
says the same in both. What only one of them has may be a part of the common operation before it (a
table was split) or one of its own (a new feature): it counts as either.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.model.statement import Statement

Row = tuple[str | None, ...]
Columns = tuple[str, ...]
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """A reading statement with one of its samples, by its number; only itself is equal to it."""

    statement: Statement
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a reader saw: columns by name, the OIDs of their types, and the rows in any order."""

    columns: Columns
    types: tuple[int, ...]
    rows: tuple[Row, ...]

    def project(self, columns: Sequence[str]) -> "Counter[Row]":
        """The rows, reduced to some columns; how often each is there."""
        places = [self.columns.index(column) for column in columns]
        return Counter(tuple(row[place] for place in places) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What each reader saw right after a writing statement."""

    after: str
    results: Mapping[Reader, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A reader that saw something else than it should, right after a writer's statement.

    `expected` and `found` are rows, spelled; `own` is True where a write of the reader's own
    server would have been seen as expected, and False where the writer's server sees it so.
    """

    reader: Reader
    after: str
    expected: str
    found: str
    own: bool


def unlike_the_writer(
    looks: Sequence[Look], pairs: Sequence[tuple[Reader, Reader]]
) -> Iterator[Missed]:
    """Where two servers look at the same rows and see different values under the same name.

    `pairs` are a reader of the writer's server and its namesake. Columns of another type are
    another matter.
    """
    for look in looks:
        for theirs, ours in pairs:
            expected, found = look.results.get(theirs), look.results.get(ours)
            if expected is None or found is None:
                continue
            shared = _shared(expected, found)
            if shared and expected.project(shared) != found.project(shared):
                yield _missed(ours, look.after, shared, expected, found, own=False)


def unlike_its_own(
    theirs: Sequence[Look],
    ours: Sequence[Look],
    again: Sequence[Look],
    common: frozenset[str],
    ignored: frozenset[str],
) -> Iterator[Missed]:
    """Where a reader sees other values than after the same operation of its own server.

    Its server's operations ran twice (`ours`, `again`): a column whose values two runs do not
    agree on holds a generated number or the time, and tells nothing. `ignored` are columns that
    one of the two servers cannot know.
    """
    own = dict(_operations(ours, common))
    for (executed, name), written in _operations(theirs, common):
        mine = own.get((executed, name), [])
        for reader in {each: None for at in mine for each in ours[at].results}:
            comparisons = [
                (expected, found, _steady(expected, other, ignored))
                for at in mine
                for place in written
                if (expected := ours[at].results.get(reader)) is not None
                and (other := again[at].results.get(reader)) is not None
                and (found := theirs[place].results.get(reader)) is not None
            ]
            differing = [each for each in comparisons if _differ(*each)]
            if comparisons and len(differing) == len(comparisons):
                expected, found, steady = differing[-1]
                yield _missed(reader, name, steady, expected, found, own=True)


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
    after: str,
    columns: Sequence[str],
    expected: Result,
    found: Result,
    *,
    own: bool,
) -> Missed:
    wanted, seen = expected.project(columns), found.project(columns)
    return Missed(
        reader=reader,
        after=after,
        expected=_spell(columns, wanted - seen),
        found=_spell(columns, seen - wanted),
        own=own,
    )


def _spell(columns: Sequence[str], rows: "Counter[Row]") -> str:
    """The first of the rows that differ; NULL is null."""
    if not rows:
        return "no such row"
    first = min(rows, key=lambda row: [(value is None, value or "") for value in row])
    return json.dumps(dict(zip(columns, map(_short, first), strict=True)), ensure_ascii=False)


def _short(value: str | None) -> str | None:
    if value is None or len(value) <= _LONGEST_VALUE:
        return value
    return f"{value[:_LONGEST_VALUE]}…"
