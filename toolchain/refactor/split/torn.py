"""Constraints and indexes that a split would tear apart, or carry over otherwise than they are."""

from collections.abc import Iterable, Iterator

from toolchain.model.refactoring import Part
from toolchain.model.schema import Check, ForeignKey, TableSchema
from toolchain.refactor.expressions import inputs


def torn(table: TableSchema, moved: frozenset[str], part: Part) -> Iterator[tuple[str, str]]:
    """What needs columns that go to the part and columns that do not."""

    def both(columns: Iterable[str]) -> bool:
        read = set(columns)
        return bool(read & moved) and not read <= moved

    for key in table.keys:
        if both(key.needs):
            yield _torn_by("the key", key.name, key.needs, moved, part)
        elif moved.issuperset(key.columns) and key.deferrable:
            yield (
                f"the unique constraint {key.name} is deferrable, and the copies of two rows that"
                " swap their values would meet",
                "make it not deferrable in an earlier release",
            )
    for check in table.checks:
        if both(check.columns):
            yield _torn_by("the check", check.name, check.columns, moved, part)
        elif not check.valid and check.columns <= moved:
            yield _unproved(check, part)
    for foreign in table.foreign_keys:
        if both(foreign.columns):
            yield _torn_by("the foreign key", foreign.name, foreign.columns, moved, part)
        elif not foreign.valid and moved.issuperset(foreign.columns):
            yield _unproved(foreign, part)
        elif moved.issuperset(foreign.columns) and foreign.on_delete == "cascade":
            yield (
                f"the foreign key {foreign.name} deletes a row of {table.name} with one of"
                f" {foreign.table}; on {part.table} it would delete the part alone",
                f"leave {', '.join(foreign.columns)} where it is, or let {foreign.name} be one"
                " without ON DELETE CASCADE in an earlier release",
            )
    for index in table.indexes:
        if both(index.columns):
            yield _torn_by("the index", index.name.name, index.columns, moved, part)
    for column in table.columns:
        if column.generated and column.name not in moved:
            read = [name for name in sorted(moved) if name in inputs(column.generated)]
            if read:
                yield (
                    f"the generated column {table.name}.{column.name} is computed from {read[0]},"
                    f" which moves to {part.table}",
                    f"drop {column.name} in an earlier release, or leave {read[0]} where it is",
                )


def _torn_by(
    what: str, name: str, columns: Iterable[str], moved: frozenset[str], part: Part
) -> tuple[str, str]:
    read = sorted(columns)
    goes = ", ".join(column for column in read if column in moved)
    stays = ", ".join(column for column in read if column not in moved)
    return (
        f"{what} {name} needs {goes}, which would move to {part.table}, together with {stays},"
        " which would not",
        f"move or leave these columns together, or drop {name} in an earlier release",
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
