"""SetNotNull: a trigger fills what old servers leave out, a walk what old rows have not."""

from toolchain.model.refactoring import SetNotNull, Strategy
from toolchain.model.schema import Schema
from toolchain.refactor.expressions import inputs, is_null, over, require_readable
from toolchain.refactor.phases import Expand, Migration, Phases, UnableError
from toolchain.refactor.presence import require_present
from toolchain.refactor.row.finding import column_of, require_settled, table_of, walk_key
from toolchain.refactor.row.required import Proof
from toolchain.refactor.row.triggers import RowTrigger
from toolchain.refactor.sql import comment, ident, relation, script


def phases(change: str, refactoring: SetNotNull, schema: Schema) -> Phases:
    """NULL is filled from the expand on, and refused from the contract on."""
    table = table_of(schema, refactoring.table)
    column = column_of(table, refactoring.column)
    if column.not_null:
        raise UnableError(
            f"{column.name} of {table.name} is NOT NULL already", "leave the change out"
        )
    if is_null(refactoring.fill) or refactoring.column in inputs(refactoring.fill):
        raise UnableError(
            f"{column.name} of {table.name} would be filled with what is NULL itself",
            "give a constant, or a value of the row's other columns",
        )
    require_readable(table, inputs(refactoring.fill), f"what fills {column.name}")
    require_present(table, column.name, refactoring.fill)
    require_settled(table, {column.name, *inputs(refactoring.fill)})
    key, name = walk_key(table), ident(column.name)
    trigger = RowTrigger(
        change=change,
        table=table,
        body=f"NEW.{name} := {over('NEW', refactoring.fill)};\nRETURN NEW;",
        when=f"NEW.{name} IS NULL",
    )
    proof = Proof(
        table=table.name,
        change=change,
        expression=f"{name} IS NOT NULL",
        required=(column.name,),
    )
    return Phases(
        strategy=Strategy.ROW,
        why="old servers may go on writing NULL, which a trigger fills before the row is stored",
        expand=Expand(
            sql=script(
                comment(
                    "Servers that leave the column out, or write NULL, go on working; they find"
                    f" {refactoring.fill} there."
                ),
                trigger.create(),
                proof.add(),
            ),
            undo=script(
                comment(
                    "What was filled stays: nobody can tell it from what a server wrote since."
                ),
                trigger.drop(),
                f"ALTER TABLE {relation(table.name)} DROP CONSTRAINT {ident(proof.name)};",
            ),
        ),
        migrate=Migration(
            table=table.name,
            key=key,
            batch=script(
                comment(
                    "UPDATE waits for a concurrent writer of a row and looks at it anew, so what"
                    " a server wrote meanwhile stays."
                )
                + f"\nUPDATE {relation(table.name)}\nSET {name} = {refactoring.fill}\n"
                f"WHERE {ident(key)} BETWEEN $1 AND $2\n  AND {name} IS NULL;"
            ),
            finish=script(proof.validate()),
        ),
        contract=script(trigger.drop(), proof.settle()),
        ready_at_expand=False,
    )
