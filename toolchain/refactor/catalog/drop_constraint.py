"""A constraint that goes: at the expand where new servers must be free of it, else at the contract.

A check, or a foreign key that only refuses, binds writers. Old servers obey it whether it is there
or not, and new ones come to write what it refuses: it goes at the expand. A unique constraint
stands in the ON CONFLICT of old servers, and a foreign key that deletes or empties rows does their
work: those stay until the contract, and new servers obey them as long.
"""

from toolchain.model.refactoring import DropConstraint, Strategy
from toolchain.model.schema import Check, ForeignKey, Key, Schema, TableSchema
from toolchain.refactor import constraint as words
from toolchain.refactor.catalog.finding import (
    constraint_is_there,
    constraint_of,
    constraints,
    exclusion_of,
)
from toolchain.refactor.finding import table_of
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.sql import comment, ident, relation, script

_REFUSES_ALONE = frozenset({"no action", "restrict"})


def phases(change: str, refactoring: DropConstraint, schema: Schema) -> Phases:  # noqa: ARG001
    """By kind, as the file's head says."""
    table = table_of(schema, refactoring.table)
    constraint = constraint_of(table, refactoring.name)
    match constraint:
        case None if exclusion_of(table, refactoring.name):
            return _at_contract(
                table,
                refactoring.name,
                "Making an exclusion constraint again would keep writers from the table, so it"
                " stays until no release may come back that counts on it.",
            )
        case None:
            raise UnableError(
                f"{table.name} has no constraint {refactoring.name}",
                f"name one of its constraints: {', '.join(_names(table)) or 'it has none'}",
            )
        case Check():
            return _at_expand(table, constraint, words.check(constraint))
        case ForeignKey() if {constraint.on_delete, constraint.on_update} <= _REFUSES_ALONE:
            definition = words.reference(constraint, "\n    ") + words.deferring(constraint)
            return _at_expand(table, constraint, definition)
        case ForeignKey():
            return _at_contract(
                table,
                constraint.name,
                "What the foreign key deletes or empties, old servers leave to it, so it stays"
                " until they are gone, and new servers obey it as long.",
            )
        case Key():
            _require_unneeded(table, constraint, schema)
            return _at_contract(
                table,
                constraint.name,
                "Old servers may name the unique columns in ON CONFLICT, so the constraint stays"
                " until they are gone, and new servers obey it as long.",
            )


def _at_expand(table: TableSchema, constraint: Check | ForeignKey, definition: str) -> Phases:
    name, alter = constraint.name, f"ALTER TABLE {relation(table.name)}"
    back = "NOT VALID" if constraint.enforced else "NOT ENFORCED"
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "New servers write what the constraint refuses, so it goes at the expand; old servers"
            " obey it whether it is there or not."
        ),
        expand=Expand(
            sql=script(f"{alter} DROP CONSTRAINT {ident(name)};"),
            undo=script(
                comment(
                    "New servers may have written rows that it refuses. They stay, so it comes"
                    " back NOT VALID: it binds what is written from here on."
                    if constraint.enforced
                    else "It binds nobody, and never did."
                )
                + f"\n{alter}\n    ADD CONSTRAINT {ident(name)} {definition}\n    {back};"
            ),
        ),
        ready_at_expand=True,
    )


def _at_contract(table: TableSchema, name: str, why: str) -> Phases:
    return Phases(
        strategy=Strategy.CATALOG,
        why=why,
        expand=constraint_is_there(table.name, name),
        contract=script(f"ALTER TABLE {relation(table.name)} DROP CONSTRAINT {ident(name)};"),
        ready_at_expand=True,
    )


def _require_unneeded(table: TableSchema, key: Key, schema: Schema) -> None:
    if key.primary:
        raise UnableError(
            f"{key.name} is the primary key of {table.name}, by which batches walk it, replication"
            " finds its rows, and views may group them",
            "keep it; to identify rows by other columns, add a unique constraint beside it",
        )
    for other, foreign in schema.referencing(table.name):
        if set(foreign.references) == set(key.columns):
            raise UnableError(
                f"the foreign key {foreign.name} of {other} refers to {', '.join(key.columns)} of"
                f" {table.name}, which {key.name} makes unique",
                f"drop {foreign.name} first, by drop_constraint in an earlier release",
            )


def _names(table: TableSchema) -> list[str]:
    exclusions = (each.name.name for each in table.indexes if each.excludes)
    return sorted((*(each.name for each in constraints(table)), *exclusions))
