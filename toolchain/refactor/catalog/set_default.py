"""A column's default: a new one is there at once, an old one goes when nobody counts on it."""

from toolchain.model.refactoring import SetDefault, Strategy
from toolchain.model.schema import Column, Schema
from toolchain.refactor.catalog.finding import column_of, nothing
from toolchain.refactor.finding import table_of
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.sql import comment, ident, relation, script


def phases(change: str, refactoring: SetDefault, schema: Schema) -> Phases:  # noqa: ARG001
    """SET DEFAULT at the expand, or DROP DEFAULT at the contract.

    Both have two forms: a new server may leave out a column that has got a default, and an old one
    leaves out a column that still has one.
    """
    table = table_of(schema, refactoring.table)
    column = column_of(table, refactoring.column)
    _require_settable(refactoring, column)
    alter = f"ALTER TABLE {relation(table.name)} ALTER COLUMN {ident(column.name)}"
    if refactoring.default is None:
        return _dropped(alter, column)
    back = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "A default is no form of any row: whoever leaves out the column writes the new one"
            " from the expand on, servers of the release before too."
        ),
        expand=Expand(
            sql=script(
                comment("Rows that are there keep what they have.")
                + f"\n{alter} SET DEFAULT {refactoring.default};"
            ),
            undo=script(f"{alter} {back};"),
        ),
        ready_at_expand=True,
    )


def _dropped(alter: str, column: Column) -> Phases:
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "A default is no form of any row; servers of the release before leave out the column,"
            " so it stays until they are gone."
        ),
        expand=Expand(
            sql=script(
                comment(
                    "The default goes in the contract, since servers of the release before count"
                    " on it. Until then it is what it was, said once more."
                )
                + f"\n{alter} SET DEFAULT {column.default};"
            ),
            undo=nothing("The step has changed nothing, so there is nothing to take back."),
        ),
        contract=script(f"{alter} DROP DEFAULT;"),
        ready_at_expand=True,
    )


def _require_settable(refactoring: SetDefault, column: Column) -> None:
    where = f"{column.name} of {refactoring.table}"
    if column.generated is not None or column.identity is not None:
        kind = "generated" if column.generated is not None else "an identity column"
        raise UnableError(
            f"{where} is {kind}, and such a column has no default",
            "leave the default out, or write the SQL by hand",
        )
    if refactoring.default is None and column.default is None:
        raise UnableError(f"{where} has no default that could go", "take the change out")
