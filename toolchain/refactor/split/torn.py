"""Constraints and indexes that a split would tear apart, or carry over otherwise than they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolchain.model.refactoring import Part
from toolchain.model.schema import Check, ForeignKey, TableSchema
from toolchain.refactor.expressions import inputs


def torn(table: TableSchema, moved: frozenset[str], part: Part) -> Iterator[tuple[str, str]]:
    """What needs columns that go to the part and columns that do not."""
    split = _Split(table=table, moved=moved, part=part)
    yield from _keys(split)
    yield from _checks(split)
    yield from _foreign_keys(split)
    for index in table.indexes:
        if split.tears(index.columns):
            yield split.torn_by("the index", index.name.name, index.columns)
    yield from _generated(split)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """One part of a split, and the columns that move to it."""

    table: TableSchema
    moved: frozenset[str]
    part: Part

    def tears(self, columns: Iterable[str]) -> bool:
        """Whether some of these columns move and some do not."""
        read = set(columns)
        return bool(read & self.moved) and not read <= self.moved

    def torn_by(self, what: str, name: str, columns: Iterable[str]) -> tuple[str, str]:
        """The problem with something that needs columns on both sides."""
        read = sorted(columns)
        goes = ", ".join(column for column in read if column in self.moved)
        stays = ", ".join(column for column in read if column not in self.moved)
        return (
            f"{what} {name} needs {goes}, which would move to {self.part.table}, together with"
            f" {stays}, which would not",
            f"move or leave these columns together, or drop {name} in an earlier release",
        )


def _keys(split: _Split) -> Iterator[tuple[str, str]]:
    for key in split.table.keys:
        if split.tears(key.needs):
            yield split.torn_by("the key", key.name, key.needs)
        elif split.moved.issuperset(key.columns) and key.deferrable:
            yield (
                f"the unique constraint {key.name} is deferrable, and the copies of two rows that"
                " swap their values would meet",
                "make it not deferrable in an earlier release",
            )


def _checks(split: _Split) -> Iterator[tuple[str, str]]:
    for check in split.table.checks:
        if split.tears(check.columns):
            yield split.torn_by("the check", check.name, check.columns)
        elif not check.valid and check.columns <= split.moved:
            yield _unproved(check, split.part)


def _foreign_keys(split: _Split) -> Iterator[tuple[str, str]]:
    table, part = split.table, split.part
    for foreign in table.foreign_keys:
        if split.tears(foreign.columns):
            yield split.torn_by("the foreign key", foreign.name, foreign.columns)
        elif not split.moved.issuperset(foreign.columns):
            continue
        elif not foreign.valid:
            yield _unproved(foreign, part)
        elif foreign.on_delete == "cascade":
            yield (
                f"the foreign key {foreign.name} deletes a row of {table.name} with one of"
                f" {foreign.table}; on {part.table} it would delete the part alone",
                f"leave {', '.join(foreign.columns)} where it is, or let {foreign.name} be one"
                " without ON DELETE CASCADE in an earlier release",
            )


def _generated(split: _Split) -> Iterator[tuple[str, str]]:
    for column in split.table.columns:
        if column.generated and column.name not in split.moved:
            read = sorted(split.moved & inputs(column.generated))
            if read:
                yield (
                    f"the generated column {split.table.name}.{column.name} is computed from"
                    f" {read[0]}, which moves to {split.part.table}",
                    f"drop {column.name} in an earlier release, or leave {read[0]} where it is",
                )


def _unproved(constraint: Check | ForeignKey, part: Part) -> tuple[str, str]:
    name = constraint.name
    if not constraint.enforced:
        return (
            f"{name} is NOT ENFORCED, which no constraint of {part.table} would be",
            f"drop {name} in an earlier release",
        )
    return (
        f"{name} is NOT VALID, and rows that it was never checked for would not fit into"
        f" {part.table}",
        f"VALIDATE CONSTRAINT {name} in an earlier release",
    )
