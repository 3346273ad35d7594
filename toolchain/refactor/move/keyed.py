"""Parts of a table that have a key of their own: a row for each value of it, shared by many rows.

The migration stops where rows of the same key differ in the columns that move. From its begin on
the last writer speaks for all rows of a key, and a new key makes its part. A part stays when the
last row of its key is gone: it is a fact of its own now, and a server of the new form deletes it.
"""

from toolchain.model.refactoring import Part, SplitTable
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.move.assemble import assemble
from toolchain.refactor.move.kin import kinship
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.phases import Act, Limit, Phases, UnableError
from toolchain.refactor.sql import comment, copy_grants, ident, idents, named, relation


def phases(change: str, refactoring: SplitTable, schema: Schema) -> Phases:
    """The phases of a split all of whose parts have a key; raises UnableError."""
    child = schema.tables.get(refactoring.table)
    if child is None:
        raise UnableError(
            f"there is no table {refactoring.table}", "name a table that the chain's SQL has made"
        )
    parts = refactoring.into
    if not parts or not all(part.key for part in parts):
        raise UnableError(
            f"some parts of {child.name} have a key of their own and some have not",
            "split it in two changes",
        )
    kins = tuple(_kinship(change, part, child, schema) for part in parts)
    names = [name for kin in kins for name in kin.names]
    for kin in kins:
        stays = [column.name for column in kin.reference if column.name in names]
        if stays or len(set(names)) < len(names):
            raise UnableError(
                f"{(*stays, *names)[0]} of {child.name} is asked for by two parts",
                "name each column once",
            )
    return assemble(
        kins,
        add=[_create(kin) for kin in kins],
        remove=[f"DROP TABLE {relation(kin.parent)};" for kin in kins],
        contract=[_reference(kin) for kin in kins],
        limits=[
            Limit(
                act=Act.TRUNCATE,
                relation=kin.parent,
                why=f"rows of {kin.child} refer to {kin.parent}; delete those that none refers to",
            )
            for kin in kins
        ],
    )


def _kinship(change: str, part: Part, child: TableSchema, schema: Schema) -> Kinship:
    if part.table in schema.tables or part.table in schema.views:
        raise UnableError(f"there is a {part.table} already", "give the part another name")
    identity = part.rename or part.key
    kin = kinship(change, child, part.columns, part.key, part.table, identity, keyed=True)
    if len(identity) != len(part.key) or len({*identity, *kin.names}) < len(identity) + len(
        kin.columns
    ):
        raise UnableError(
            f"'rename' of {part.table} does not give each of {', '.join(part.key)} a name of its"
            " own",
            "name each column of the key once",
        )
    return kin


def _create(kin: Kinship) -> str:
    lines = [
        f"{ident(name)} {column.type} NOT NULL"
        for name, column in zip(kin.identity, kin.reference, strict=True)
    ]
    for column in kin.columns:
        collation = f" COLLATE {column.collation}" if column.collation else ""
        required = " NOT NULL" if column.not_null else ""
        lines.append(f"{ident(column.name)} {column.type}{collation}{required}")
    lines.append(
        f"CONSTRAINT {ident(named(kin.parent.name, 'pkey'))} PRIMARY KEY ({idents(kin.identity)})"
    )
    lines += [f"CONSTRAINT {ident(check.name)} CHECK ({check.expression})" for check in kin.checks]
    body = ",\n    ".join(lines)
    return (
        f"CREATE TABLE {relation(kin.parent)} (\n    {body}\n);\n\n"
        + comment(f"Whoever may work on {kin.child.name} may work on its parts.")
        + "\n"
        + copy_grants(kin.child, kin.parent)
    )


def _reference(kin: Kinship) -> str:
    """The triggers have kept it so far, so no row is looked at."""
    return (
        comment("So far triggers have seen to this: no row need be looked at.")
        + f"\nALTER TABLE {relation(kin.child)}\n"
        f"    ADD CONSTRAINT {ident(named(kin.child.name, kin.parent.name, 'fkey'))}\n"
        f"        FOREIGN KEY ({', '.join(kin.references())})"
        f" REFERENCES {relation(kin.parent)} ({idents(kin.identity)}) NOT VALID;"
    )
