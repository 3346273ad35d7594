"""A new index, built while the table is written."""

import re

from toolchain.model.refactoring import AddIndex, Strategy
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.catalog.finding import column_of, require_free_relation, require_single
from toolchain.refactor.finding import table_of
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.sql import comment, ident, relation, script

# The first word of an element that is neither an expression nor a call: "Name", or name DESC.
_COLUMN = re.compile(r'(?:"((?:[^"]|"")+)"|([^\s("]+))(?=\s|$)')


def phases(change: str, refactoring: AddIndex, schema: Schema) -> Phases:  # noqa: ARG001
    """CREATE INDEX CONCURRENTLY; nothing is left for a contract.

    A unique index refuses what old servers may write, and new ones may name it in ON CONFLICT: it
    has two forms. Any other is a matter of speed.
    """
    table = table_of(schema, refactoring.table)
    require_single(table, "CREATE INDEX CONCURRENTLY")
    name = table.name.beside(refactoring.name)
    require_free_relation(schema, name)
    if refactoring.unique and refactoring.using != "btree":
        raise UnableError(
            f"the index {refactoring.name} is unique, and only a btree index can be",
            "leave out 'using' or 'unique'",
        )
    elements = ", ".join(_element(table, each) for each in refactoring.on)
    where = f"\n    WHERE {refactoring.where}" if refactoring.where else ""
    unique = "UNIQUE " if refactoring.unique else ""
    why = "An index is no form of any row: it is built beside the writers, and is there at once."
    if refactoring.unique:
        why = (
            "A unique index is no form of any row, but it binds all servers from its expand on:"
            " those of the release before must write no duplicates."
        )
    return Phases(
        strategy=Strategy.CATALOG,
        why=why,
        expand=Expand(
            sql=script(
                comment(
                    "CONCURRENTLY keeps no writer waiting, and is no part of a transaction. What"
                    " is half built after a crash is dropped and built again."
                )
                + f"\nCREATE {unique}INDEX CONCURRENTLY {ident(refactoring.name)}\n"
                f"    ON {relation(table.name)} USING {ident(refactoring.using)} ({elements})"
                f"{where};"
            ),
            undo=script(f"DROP INDEX CONCURRENTLY {relation(name)};"),
            transaction=False,
        ),
        ready_at_expand=True,
        two_forms=refactoring.unique,
    )


def _element(table: TableSchema, text: str) -> str:
    """An element is SQL already; where it is no expression, it begins with a column's name."""
    column = _COLUMN.match(text)
    if column is not None:
        quoted, plain = column.groups()
        column_of(table, quoted.replace('""', '"') if quoted is not None else plain)
    return text
