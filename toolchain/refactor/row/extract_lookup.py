"""ExtractLookup: rows refer to a text by its number, and have both until the contract."""

from toolchain.model.refactoring import ExtractLookup, Strategy
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.phases import Act, Expand, Limit, Migration, Phases, UnableError
from toolchain.refactor.row.finding import (
    column_of,
    publication_note,
    require_free,
    require_plain_writes,
    require_settled,
    require_unfiltered,
    table_of,
    walk_key,
)
from toolchain.refactor.row.grants import copy_column_grants
from toolchain.refactor.row.identity import require_identity
from toolchain.refactor.row.lookup_sql import Lookup
from toolchain.refactor.row.removing import dropped_along, require_droppable
from toolchain.refactor.row.required import Proof
from toolchain.refactor.row.triggers import RowTrigger, own_triggers
from toolchain.refactor.sql import comment, copy_grants, ident, named, relation, script


def phases(change: str, refactoring: ExtractLookup, schema: Schema) -> Phases:
    """Table, reference and trigger at the expand, old rows in batches; then the text goes."""
    table = table_of(schema, refactoring.table)
    lookup = Lookup(
        change=change,
        table=table.name,
        column=column_of(table, refactoring.column),
        into=refactoring.into,
        reference=refactoring.reference,
        key=refactoring.key,
        label=refactoring.label,
    )
    _refuse(lookup, schema, table)
    trigger = RowTrigger(
        change=change,
        table=table,
        body=lookup.last_word if own_triggers(table) else lookup.body,
        settling=lookup.settling,
        declare=("new_form boolean", "patience text"),
    )
    proof = _proof(lookup)
    gone = dropped_along(table, (lookup.column.name,), replaced=True)
    return Phases(
        strategy=Strategy.ROW,
        why=(
            "text and number stand in the same row, kept equal by a trigger; nothing is indexed by"
            f" {lookup.reference}, so where servers search or delete by it, add an index"
            + (f"; the contract drops {', '.join(gone)} with the text" if gone else "")
        ),
        expand=_expand(lookup, trigger, proof, publication_note(schema, table)),
        migrate=_migration(lookup, table, proof),
        contract=_contract(lookup, trigger, proof, gone),
        limits=_limits(lookup),
    )


def _refuse(lookup: Lookup, schema: Schema, table: TableSchema) -> None:
    require_free(table, lookup.reference)
    require_plain_writes(table, (lookup.column.name,))
    require_settled(table, (lookup.column.name,))
    require_droppable(schema, table, (lookup.column.name,), replaced=True)
    require_unfiltered(table, f"{lookup.into} would show the texts of all rows to everybody")
    if lookup.into in schema.tables or lookup.into in schema.views | schema.sequences:
        raise UnableError(f"there is a {lookup.into} already", "choose another name for the table")
    require_identity(schema, str(table.name), lookup.column)
    if lookup.key == lookup.label:
        raise UnableError(
            f"number and label of {lookup.into} are both called {lookup.key}",
            "give them two names",
        )


def _proof(lookup: Lookup) -> Proof:
    reference, text = ident(lookup.reference), ident(lookup.column.name)
    if lookup.column.not_null:
        expression = f"{reference} IS NOT NULL"
    else:
        expression = f"({reference} IS NULL) = ({text} IS NULL)"
    required = (lookup.reference,) if lookup.column.not_null else ()
    return Proof(table=lookup.table, change=lookup.change, expression=expression, required=required)


def _foreign_key(lookup: Lookup) -> str:
    return named(lookup.table.name, lookup.reference, "fkey")


def _expand(lookup: Lookup, trigger: RowTrigger, proof: Proof, note: str) -> Expand:
    table, reference = relation(lookup.table), ident(lookup.reference)
    return Expand(
        sql=script(
            comment(
                f"{lookup.column.name} of {lookup.table} becomes a reference to {lookup.into}."
                " Until the contract a row has the text and the number, and a trigger keeps them"
                f" equal before it is stored. No index is made on {lookup.reference}."
            ),
            lookup.create_table(),
            copy_grants(lookup.table, lookup.into),
            note,
            f"ALTER TABLE {table}\n    ADD COLUMN {reference} bigint;",
            copy_column_grants(lookup.table, [(lookup.column.name, lookup.reference)]),
            lookup.create_guard(),
            trigger.create(),
            proof.add(),
            f"ALTER TABLE {table}\n    ADD CONSTRAINT {ident(_foreign_key(lookup))}"
            f"\n    FOREIGN KEY ({reference}) REFERENCES {relation(lookup.into)}"
            f" ({ident(lookup.key)}) NOT VALID;",
        ),
        undo=script(
            comment("The text was kept equal all the time, so it is complete by itself."),
            trigger.drop(),
            f"ALTER TABLE {table}\n    DROP CONSTRAINT {ident(proof.name)},"
            f"\n    DROP CONSTRAINT {ident(_foreign_key(lookup))},\n    DROP COLUMN {reference};",
            lookup.drop_guard(),
            f"DROP TABLE {relation(lookup.into)};",
        ),
    )


def _migration(lookup: Lookup, table: TableSchema, proof: Proof) -> Migration:
    key, reference = ident(walk_key(table)), ident(lookup.reference)
    words = (
        "Touches the rows that nobody wrote since the expand; the trigger finds their numbers."
        " UPDATE waits for a concurrent writer of a row and looks at it anew, so no write is lost."
    )
    return Migration(
        table=lookup.table,
        key=walk_key(table),
        begin=script(lookup.prefill()),
        batch=script(
            f"{comment(words)}\nUPDATE {relation(lookup.table)}\nSET {reference} = {reference}\n"
            f"WHERE {key} BETWEEN $1 AND $2\n"
            f"  AND {reference} IS NULL AND {ident(lookup.column.name)} IS NOT NULL;"
        ),
        finish=script(
            proof.validate(),
            f"ALTER TABLE {relation(lookup.table)}"
            f" VALIDATE CONSTRAINT {ident(_foreign_key(lookup))};",
        ),
    )


def _contract(lookup: Lookup, trigger: RowTrigger, proof: Proof, gone: tuple[str, ...]) -> str:
    along = f" With it go {', '.join(gone)}." if gone else ""
    return script(
        comment(f"The text ends, and labels may be changed.{along}"),
        trigger.drop(),
        lookup.drop_guard(),
        proof.settle(),
        f"ALTER TABLE {relation(lookup.table)} DROP COLUMN {ident(lookup.column.name)};",
    )


def _limits(lookup: Lookup) -> tuple[Limit, ...]:
    why = f"rows of {lookup.table} have the text too, so labels stay as they are until the contract"
    return (
        Limit(
            act=Act.UPDATE,
            relation=lookup.into,
            columns=frozenset({lookup.key, lookup.label}),
            why=why,
        ),
        Limit(act=Act.DELETE, relation=lookup.into, why=why),
        Limit(act=Act.TRUNCATE, relation=lookup.into, why=why),
    )
