"""A new constraint: the expand makes it bind new rows, the contract looks at the old ones.

Checks and foreign keys begin NOT VALID. The scan of old rows is the contract's and stands alone
there: VALIDATE CONSTRAINT takes SHARE UPDATE EXCLUSIVE, which no reader or writer notices, and a
lock of ADD CONSTRAINT in the same transaction would be held for as long.
"""

from toolchain.model.refactoring import AddConstraint, Strategy
from toolchain.model.schema import Column, Schema, TableSchema
from toolchain.refactor.catalog.finding import (
    columns_of,
    require_free_constraint,
    require_free_relation,
    require_single,
)
from toolchain.refactor.expressions import inputs
from toolchain.refactor.finding import table_of
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.sql import comment, ident, idents, relation, script

_ACTIONS = frozenset({"no action", "restrict", "cascade", "set null", "set default"})
_FILLS_NULL = "set null"
# Types between which PostgreSQL's own operator classes compare, so that a reference may cross them.
_FAMILIES = (
    frozenset({"smallint", "int2", "integer", "int", "int4", "bigint", "int8",
               "smallserial", "serial", "bigserial"}),
    frozenset({"text", "varchar", "character varying"}),
    frozenset({"numeric", "decimal"}),
    frozenset({"timestamptz", "timestamp with time zone"}),
    frozenset({"timestamp", "timestamp without time zone"}),
    frozenset({"boolean", "bool"}),
    frozenset({"char", "character", "bpchar"}),
)  # fmt: skip


def phases(change: str, refactoring: AddConstraint, schema: Schema) -> Phases:  # noqa: ARG001
    """By kind: check and foreign key are validated in the contract, unique gets its index first."""
    table = table_of(schema, refactoring.table)
    require_free_constraint(table, refactoring.name)
    if refactoring.check is not None:
        return _check(refactoring, table, refactoring.check)
    if refactoring.unique:
        return _unique(refactoring, table, schema)
    return _foreign_key(refactoring, table, schema)


def _check(refactoring: AddConstraint, table: TableSchema, expression: str) -> Phases:
    columns_of(table, sorted(inputs(expression)))
    return _validated_later(
        refactoring,
        table,
        f"CHECK ({expression})",
        "Every row that is written from here on is checked, and an old row when it is updated.",
        two_forms=False,
    )


def _foreign_key(refactoring: AddConstraint, table: TableSchema, schema: Schema) -> Phases:
    if refactoring.references is None:
        raise UnableError(
            f"the constraint {refactoring.name} is neither a check, nor unique, nor a reference",
            "give one of 'check', 'unique' and 'references'",
        )
    require_single(table, "ADD FOREIGN KEY … NOT VALID")
    target = table_of(schema, refactoring.references)
    columns = columns_of(table, refactoring.columns)
    referenced = columns_of(target, _referenced(refactoring, target))
    _require_unique_key(refactoring, target, tuple(column.name for column in referenced))
    _require_matching(refactoring, columns, referenced)
    if refactoring.on_delete not in _ACTIONS:
        raise UnableError(
            f"{refactoring.on_delete} is nothing that a foreign key does on delete",
            f"write one of {', '.join(sorted(_ACTIONS))}",
        )
    for column in columns:
        if refactoring.on_delete == _FILLS_NULL and column.not_null:
            raise UnableError(
                f"{column.name} of {table.name} is NOT NULL, so ON DELETE SET NULL would refuse"
                " every delete",
                "choose another 'on_delete'",
            )
    action = "" if refactoring.on_delete == "no action" else f" ON DELETE {_upper(refactoring)}"
    return _validated_later(
        refactoring,
        table,
        f"FOREIGN KEY ({idents(refactoring.columns)})\n"
        f"    REFERENCES {relation(target.name)}"
        f" ({idents(column.name for column in referenced)}){action}",
        "Every row that is written from here on needs the row it refers to.",
        # Servers may count on the database to delete, or to empty, what pointed at a deleted row.
        two_forms=refactoring.on_delete not in ("no action", "restrict"),
    )


def _upper(refactoring: AddConstraint) -> str:
    return refactoring.on_delete.upper()


def _validated_later(
    refactoring: AddConstraint, table: TableSchema, definition: str, binds: str, *, two_forms: bool
) -> Phases:
    alter = f"ALTER TABLE {relation(table.name)}"
    name = ident(refactoring.name)
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "A constraint is no form of any row: it binds new rows from the expand on, those of"
            " the release before too, and the contract looks at the old ones."
        ),
        expand=Expand(
            sql=script(
                comment(f"{binds} NOT VALID looks at no row, so the lock is short.")
                + f"\n{alter}\n    ADD CONSTRAINT {name} {definition}\n    NOT VALID;"
            ),
            undo=script(f"{alter} DROP CONSTRAINT {name};"),
        ),
        contract=script(
            comment(
                "Looks at every row, under a lock that readers and writers do not notice. It fails"
                " where an old row violates the constraint: mend the rows, and run it again."
            )
            + f"\n{alter} VALIDATE CONSTRAINT {name};"
        ),
        ready_at_expand=True,
        two_forms=two_forms,
    )


def _unique(refactoring: AddConstraint, table: TableSchema, schema: Schema) -> Phases:
    require_single(table, "CREATE INDEX CONCURRENTLY")
    columns_of(table, refactoring.unique)
    if len(set(refactoring.unique)) < len(refactoring.unique):
        raise UnableError(
            f"{refactoring.name} names a column twice", "name each column of 'unique' once"
        )
    index = table.name.beside(refactoring.name)
    require_free_relation(schema, index)
    name = ident(refactoring.name)
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "A unique constraint is no form of any row: its index binds all servers from the"
            " expand on, and becomes the constraint in the contract."
        ),
        expand=Expand(
            sql=script(
                comment(
                    "The index alone refuses duplicates, and ON CONFLICT and foreign keys find it."
                    " CONCURRENTLY keeps no writer waiting, and is no part of a transaction."
                )
                + f"\nCREATE UNIQUE INDEX CONCURRENTLY {name}\n"
                f"    ON {relation(table.name)} ({idents(refactoring.unique)});"
            ),
            undo=script(f"DROP INDEX CONCURRENTLY {relation(index)};"),
            transaction=False,
        ),
        contract=script(
            comment("The index is built already, so this is a change of the catalogue alone.")
            + f"\nALTER TABLE {relation(table.name)}\n"
            f"    ADD CONSTRAINT {name} UNIQUE USING INDEX {name};"
        ),
        ready_at_expand=True,
    )


def _referenced(refactoring: AddConstraint, target: TableSchema) -> tuple[str, ...]:
    if refactoring.referenced:
        return refactoring.referenced
    if target.primary_key is None:
        raise UnableError(
            f"{target.name} has no primary key that {refactoring.name} could refer to",
            "name the columns that are unique there in 'referenced'",
        )
    return target.primary_key.columns


def _require_unique_key(
    refactoring: AddConstraint, target: TableSchema, referenced: tuple[str, ...]
) -> None:
    unique = [set(key.columns) for key in target.keys if not key.deferrable]
    # An index with a predicate or an expression will not do; its definition tells.
    unique += [
        set(index.columns)
        for index in target.indexes
        if index.unique and " WHERE " not in index.definition.upper()
    ]
    if set(referenced) not in unique:
        raise UnableError(
            f"{', '.join(referenced)} of {target.name} are no unique key, which a foreign key"
            " must refer to",
            "add a unique constraint in an earlier change, by add_unique",
        )
    if len(refactoring.columns) != len(referenced):
        raise UnableError(
            f"{refactoring.name} has {len(refactoring.columns)} columns and refers to"
            f" {len(referenced)}",
            "name as many columns in 'columns' as in 'referenced'",
        )


def _require_matching(
    refactoring: AddConstraint, columns: tuple[Column, ...], referenced: tuple[Column, ...]
) -> None:
    for column, other in zip(columns, referenced, strict=True):
        if _family(column.type) != _family(other.type):
            raise UnableError(
                f"{column.name} of {refactoring.table} is {column.type}, and {other.name} of"
                f" {refactoring.references} is {other.type}",
                "give the column the type of what it refers to first, by change_columns",
            )


def _family(type_name: str) -> object:
    """What a type is compared as; its length and its schema say nothing about that."""
    bare = type_name.lower().removeprefix("pg_catalog.").split("(")[0].strip()
    return next((family for family in _FAMILIES if bare in family), bare)
