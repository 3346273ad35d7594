"""RenameColumn: a second column of the new name until the contract renames the first.

The old column stays the real one, so its indexes, constraints, references, default, identity,
statistics and views are never made again.
"""

from toolchain.model.refactoring import RenameColumn, Strategy
from toolchain.model.schema import Column, Schema, TableSchema
from toolchain.refactor.expressions import literal_of
from toolchain.refactor.phases import Act, Expand, Limit, Migration, Phases
from toolchain.refactor.row.comparing import differ
from toolchain.refactor.row.finding import (
    column_of,
    publication_note,
    require_free,
    require_plain_writes,
    require_settled,
    table_of,
    walk_key,
)
from toolchain.refactor.row.grants import copy_column_grants
from toolchain.refactor.row.required import Proof
from toolchain.refactor.row.triggers import RowTrigger, own_triggers
from toolchain.refactor.sql import comment, ident, relation, script


def phases(change: str, refactoring: RenameColumn, schema: Schema) -> Phases:
    """A shadow of the column at the expand, filled in batches; the contract is metadata only."""
    table = table_of(schema, refactoring.table)
    column = column_of(table, refactoring.column)
    require_free(table, refactoring.to)
    require_plain_writes(table, (refactoring.column,))
    require_settled(table, (refactoring.column,))
    proof = Proof(
        table=table.name,
        change=change,
        expression=f"ROW({ident(refactoring.to)})::record *= ROW({ident(column.name)})::record",
    )
    trigger = _trigger(change, refactoring, table, column)
    return Phases(
        strategy=Strategy.ROW,
        why=(
            "both names stand in the same row, kept equal by a trigger, and the contract renames"
            f" the column with all that it has; until then no index is on {refactoring.to}, so"
            " where new servers search by it, add an index in a change of its own"
        ),
        expand=_expand(refactoring, column, trigger, proof, publication_note(schema, table)),
        migrate=_migration(refactoring, table, proof),
        contract=_contract(refactoring, trigger, proof),
        limits=_limits(refactoring, table),
    )


def _trigger(
    change: str, refactoring: RenameColumn, table: TableSchema, column: Column
) -> RowTrigger:
    old, new = f"NEW.{ident(column.name)}", f"NEW.{ident(refactoring.to)}"
    default = _shared_default(column)
    written = f"new_form := {new} IS NOT NULL;"
    if default is not None:
        # Both columns have it, so the form that differs from it is the one that was written, and
        # NULL can be written too.
        written = (
            f"other := NEW;\n    other.{ident(refactoring.to)} := {default};\n"
            f"    new_form := {differ([refactoring.to], 'NEW', 'other')};"
        )
    who = (
        "-- *<> compares what is stored: it knows NULL, works for types without equality, and\n"
        "-- tells apart what is equal and reads differently.\n"
        f"IF TG_OP = 'INSERT' THEN\n    {written}\nELSE\n"
        f"    new_form := {differ([refactoring.to], 'NEW', 'OLD')};\nEND IF;\n\n"
        f"IF new_form THEN\n    {old} := {new};\n"
    )
    follow = f"{new} := {old};"
    if own_triggers(table):
        words = (
            "The first trigger has brought what a new server wrote, and the table's own triggers"
            " know this column only: it has the last word."
        )
        body = f"{comment(words)}\n{follow}\nRETURN NEW;"
    else:
        body = f"{who}ELSE\n    {follow}\nEND IF;\nRETURN NEW;"
    declare = ("new_form boolean", *(("other record",) if default is not None else ()))
    return RowTrigger(
        change=change,
        table=table,
        body=body,
        settling=f"{who}END IF;\nRETURN NEW;",
        declare=declare,
    )


def _shared_default(column: Column) -> str | None:
    """A constant that both columns may have, where it lets a new server write NULL in an INSERT.

    Any other default is evaluated for the old column alone: twice, it might be two values.
    """
    if column.not_null or column.default is None or column.identity is not None:
        return None
    return literal_of(column.default)


def _expand(
    refactoring: RenameColumn, column: Column, trigger: RowTrigger, proof: Proof, note: str
) -> Expand:
    table, to = relation(refactoring.table), ident(refactoring.to)
    collation = f" COLLATE {column.collation}" if column.collation else ""
    default = _shared_default(column)
    return Expand(
        sql=script(
            comment(
                f"{column.name} of {refactoring.table} becomes {refactoring.to}. Until the contract"
                " there is a column of either name in each row, kept equal by a trigger. The old"
                " one keeps its indexes and constraints, and is renamed in the end; until then"
                f" nothing is indexed by {refactoring.to}."
            ),
            note,
            f"ALTER TABLE {table}\n    ADD COLUMN {to} {column.type}{collation};",
            # Not with ADD COLUMN, which would put it into the old rows too.
            f"ALTER TABLE {table}\n    ALTER COLUMN {to} SET DEFAULT {column.default};"
            if default is not None
            else "",
            copy_column_grants(refactoring.table, [(column.name, refactoring.to)]),
            trigger.create(),
            proof.add(),
        ),
        undo=script(
            comment("The old column was kept equal all the time, so it is complete by itself."),
            trigger.drop(),
            f"ALTER TABLE {table}\n    DROP CONSTRAINT {ident(proof.name)},\n    DROP COLUMN {to};",
        ),
    )


def _migration(refactoring: RenameColumn, table: TableSchema, proof: Proof) -> Migration:
    key, to = walk_key(table), ident(refactoring.to)
    return Migration(
        table=table.name,
        key=key,
        batch=script(
            comment(
                "Touches the rows that nobody wrote since the expand; the trigger fills them."
                " UPDATE waits for a concurrent writer of a row and looks at it anew, so no write"
                " is lost, and a deleted row stays deleted."
            )
            + f"\nUPDATE {relation(table.name)}\nSET {to} = {to}\n"
            f"WHERE {ident(key)} BETWEEN $1 AND $2\n"
            f"  AND {to} IS NULL AND {ident(refactoring.column)} IS NOT NULL;"
        ),
        finish=script(proof.validate()),
    )


def _contract(refactoring: RenameColumn, trigger: RowTrigger, proof: Proof) -> str:
    table, old, new = relation(refactoring.table), refactoring.column, refactoring.to
    return script(
        comment(
            f"{old} and {new} are proved equal, so the shadow goes and the column that has the"
            " indexes and constraints takes its name."
        ),
        copy_column_grants(refactoring.table, [(new, old)]),
        trigger.drop(),
        proof.settle(),
        f"ALTER TABLE {table} DROP COLUMN {ident(new)};",
        f"ALTER TABLE {table} RENAME COLUMN {ident(old)} TO {ident(new)};",
    )


def _limits(refactoring: RenameColumn, table: TableSchema) -> tuple[Limit, ...]:
    unique = [key.columns for key in table.keys]
    unique += [index.columns for index in table.indexes if index.unique]
    if not any(refactoring.column in columns for columns in unique):
        return ()
    return (
        Limit(
            act=Act.ON_CONFLICT,
            relation=table.name,
            columns=frozenset({refactoring.to}),
            why=(
                f"the unique index is on {refactoring.column} until the contract, so ON CONFLICT"
                f" ({refactoring.to}) finds none; name the constraint, which stays the same"
            ),
        ),
    )
