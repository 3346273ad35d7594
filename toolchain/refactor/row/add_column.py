"""AddColumn: in the catalogue alone where a constant will do, else filled row by row."""

from dataclasses import replace

from toolchain.model.refactoring import AddColumn, Strategy
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.expressions import calls, inputs, is_null, require_readable
from toolchain.refactor.phases import Expand, Migration, Phases, UnableError
from toolchain.refactor.presence import require_present
from toolchain.refactor.row.comparing import differ
from toolchain.refactor.row.finding import (
    publication_note,
    require_free,
    require_settled,
    table_of,
    walk_key,
)
from toolchain.refactor.row.following import following
from toolchain.refactor.row.required import Proof, not_null
from toolchain.refactor.row.triggers import RowTrigger
from toolchain.refactor.sql import comment, ident, relation, script

# Functions that PostgreSQL evaluates once for all old rows. Of any other it is not certain, and
# filling rows in batches is right for those too.
_STEADY = frozenset({
    "now", "transaction_timestamp", "statement_timestamp", "current_setting", "current_database",
    "make_interval", "make_date", "to_jsonb", "jsonb_build_object", "jsonb_build_array", "lower",
    "upper", "date_trunc",
})  # fmt: skip


def phases(change: str, refactoring: AddColumn, schema: Schema) -> Phases:
    """By what fills old rows: nothing, a default of the catalogue, or a walk over the table."""
    table = table_of(schema, refactoring.table)
    require_free(table, refactoring.column)
    made = _phases(change, refactoring, table)
    told = script(publication_note(schema, table), made.expand.sql)
    return replace(made, expand=replace(made.expand, sql=told))


def _phases(change: str, refactoring: AddColumn, table: TableSchema) -> Phases:
    default = refactoring.default
    if refactoring.type.lower().endswith("serial"):
        raise UnableError(
            f"{refactoring.column} of {table.name} is {refactoring.type}, which would write every"
            " row under a lock that stops everybody",
            "make a sequence in an earlier step, and write nextval of it as the default",
        )
    if refactoring.value is not None:
        require_readable(table, inputs(refactoring.value), f"the value of {refactoring.column}")
        require_settled(table, inputs(refactoring.value))
        if refactoring.not_null:
            require_present(table, refactoring.column, refactoring.value)
        return _computed(change, refactoring, table, refactoring.value)
    if refactoring.not_null and (default is None or is_null(default)):
        raise UnableError(
            f"{refactoring.column} of {table.name} is NOT NULL without a default, so neither old"
            " rows nor those of old servers could be",
            "give it a default, or a value that is computed from the other columns",
        )
    if default is None or {each.removeprefix("pg_catalog.") for each in calls(default)} <= _STEADY:
        return _plain(refactoring)
    return _filled(change, refactoring, table, default)


def _plain(refactoring: AddColumn) -> Phases:
    default = f" DEFAULT {refactoring.default}" if refactoring.default is not None else ""
    words = "PostgreSQL keeps the default for old rows in its catalogue, and writes none of them."
    required = " NOT NULL" if refactoring.not_null else ""
    definition = f"{refactoring.type}{default}{required}"
    table, name = relation(refactoring.table), ident(refactoring.column)
    return Phases(
        strategy=Strategy.CATALOG,
        why="old rows need nothing that is not in the catalogue, so none is written",
        expand=Expand(
            sql=script(
                (f"{comment(words)}\n" if default else "")
                + f"ALTER TABLE {table}\n    ADD COLUMN {name} {definition};"
            ),
            undo=script(f"ALTER TABLE {table} DROP COLUMN {name};"),
        ),
        ready_at_expand=True,
    )


def _filled(change: str, refactoring: AddColumn, table: TableSchema, default: str) -> Phases:
    name = ident(refactoring.column)
    words = (
        f"{default} may differ from row to row. With ADD COLUMN it would write the whole table"
        " under a lock that stops everybody, so it comes after, for new rows, and old ones are"
        " filled in batches."
    )
    set_default = (
        f"ALTER TABLE {relation(table.name)}\n    ALTER COLUMN {name} SET DEFAULT {default};"
    )
    # An old row must pass the check when an old server writes it, and be filled when it gets a key
    # that the walk has passed.
    moved = f" AND {differ([walk_key(table)], 'NEW', 'OLD')}" if not refactoring.not_null else ""
    trigger = RowTrigger(
        change=change,
        table=table,
        body=f"NEW.{name} := {default};\nRETURN NEW;",
        event="BEFORE UPDATE",
        when=f"OLD.{name} IS NULL AND NEW.{name} IS NULL{moved}",
    )
    return _by_walk(
        change, refactoring, table, trigger, f"{comment(words)}\n{set_default}", default
    )


def _computed(change: str, refactoring: AddColumn, table: TableSchema, value: str) -> Phases:
    trigger = following(
        change,
        table,
        refactoring.column,
        value,
        required=refactoring.not_null,
        walk=walk_key(table),
    )
    return _by_walk(change, refactoring, table, trigger, "", value)


def _by_walk(
    change: str,
    refactoring: AddColumn,
    table: TableSchema,
    trigger: RowTrigger,
    default: str,
    fill: str,
) -> Phases:
    name = ident(refactoring.column)
    proof = not_null(table.name, change, (refactoring.column,) if refactoring.not_null else ())
    return Phases(
        strategy=Strategy.ROW,
        why="old rows are filled in batches, and those of old servers before they are stored",
        expand=_expand(refactoring, trigger, proof, default),
        migrate=_migration(table, name, fill, proof),
        contract=_contract(refactoring, trigger, proof),
    )


def _expand(
    refactoring: AddColumn, trigger: RowTrigger, proof: Proof | None, default: str
) -> Expand:
    table, name = relation(refactoring.table), ident(refactoring.column)
    return Expand(
        sql=script(
            f"ALTER TABLE {table}\n    ADD COLUMN {name} {refactoring.type};",
            default,
            trigger.create(),
            proof.add() if proof else "",
        ),
        undo=script(
            trigger.drop(),
            f"ALTER TABLE {table} DROP CONSTRAINT {ident(proof.name)};" if proof else "",
            f"ALTER TABLE {table} DROP COLUMN {name};",
        ),
    )


def _migration(table: TableSchema, name: str, fill: str, proof: Proof | None) -> Migration:
    key = walk_key(table)
    # A value that may be NULL is not written where it is. One that reads nothing is never NULL
    # twice, or always.
    useful = f"\n  AND ({fill}) IS NOT NULL" if inputs(fill) else ""
    words = (
        "UPDATE waits for a concurrent writer of a row and looks at it anew: what a server wrote"
        " stays, and a deleted row stays deleted."
    )
    return Migration(
        table=table.name,
        key=key,
        batch=script(
            f"{comment(words)}\nUPDATE {relation(table.name)}\nSET {name} = {fill}\n"
            f"WHERE {ident(key)} BETWEEN $1 AND $2\n  AND {name} IS NULL{useful};"
        ),
        finish=script(proof.validate()) if proof else "",
    )


def _contract(refactoring: AddColumn, trigger: RowTrigger, proof: Proof | None) -> str:
    table, name = relation(refactoring.table), ident(refactoring.column)
    later = ""
    if refactoring.value is not None and refactoring.default is not None:
        words = "Only now: before, a default could not be told from what a server wrote."
        later = (
            f"{comment(words)}\nALTER TABLE {table}\n"
            f"    ALTER COLUMN {name} SET DEFAULT {refactoring.default};"
        )
    return script(trigger.drop(), proof.settle() if proof else "", later)
