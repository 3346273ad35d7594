"""Columns that move along a foreign key to the row that it refers to.

The migration stops where rows that refer to the same one differ in these columns: nobody but the
developer knows which of them is right. From its begin on the last writer speaks for all rows. A row
keeps the value when the last row that refers to it is gone.

A column that is NOT NULL in the old form stays so there until the contract: a server of the new
form cannot give NULL to a row that others refer to, nor let a new row refer to one without a value.
"""

from toolchain.model.refactoring import MoveColumns
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.move.assemble import assemble
from toolchain.refactor.move.kin import kinship
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.move.refusals import refuse_triggers
from toolchain.refactor.phases import Phases, UnableError
from toolchain.refactor.sql import ident, named, relation


def phases(change: str, refactoring: MoveColumns, schema: Schema) -> Phases:
    """The phases of a move; raises UnableError where somebody would break."""
    kin = _kinship(change, refactoring, schema)
    parent = relation(kin.parent)
    empty = " AND ".join(f"{ident(name)} IS NULL" for name in kin.names)
    checks = [
        (named(kin.child.name, check.name, "moved"), check.expression) for check in kin.checks
    ]
    lines = [_definition(kin, number) for number in range(len(kin.columns))]
    lines += [
        f"ADD CONSTRAINT {ident(name)}\n        CHECK (({empty}) OR ({expression})) NOT VALID"
        for name, expression in checks
    ]
    drops = ",\n    ".join(f"DROP COLUMN {ident(name)}" for name in kin.names)
    return assemble(
        (kin,),
        add=(f"ALTER TABLE {parent}\n    " + ",\n    ".join(lines) + ";",),
        remove=(f"ALTER TABLE {parent}\n    {drops};",),
        begin=[f"ALTER TABLE {parent} VALIDATE CONSTRAINT {ident(name)};" for name, _ in checks],
    )


def _definition(kin: Kinship, number: int) -> str:
    column = kin.columns[number]
    collation = f" COLLATE {column.collation}" if column.collation else ""
    return f"ADD COLUMN {ident(column.name)} {column.type}{collation}"


def _tables(schema: Schema, move: MoveColumns) -> tuple[TableSchema, TableSchema]:
    found = []
    for name in (move.table, move.to):
        table = schema.tables.get(name)
        if table is None:
            raise UnableError(
                f"there is no table {name}", "name a table that the chain's SQL has made"
            )
        found.append(table)
    child, parent = found
    if child.name == parent.name:
        raise UnableError(f"{child.name} refers to itself", "move it by SQL of your own")
    return child, parent


def _kinship(change: str, move: MoveColumns, schema: Schema) -> Kinship:
    child, parent = _tables(schema, move)
    foreign = next(
        (
            each
            for each in child.foreign_keys
            if each.table == move.to and set(each.columns) == set(move.along)
        ),
        None,
    )
    if foreign is None:
        raise UnableError(
            f"{', '.join(move.along)} of {child.name} is no foreign key to {parent.name}",
            "name the columns of the foreign key in 'along'",
        )
    kin = kinship(
        change, child, move.columns, foreign.columns, parent.name, foreign.references, keyed=False
    )
    refuse_triggers(parent, frozenset(move.columns))
    for name in kin.names:
        if parent.column(name) is not None:
            raise UnableError(
                f"{parent.name} has a column {name} already",
                "rename one of the two in an earlier release",
            )
    return kin
