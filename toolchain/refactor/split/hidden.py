"""The tables to come: made beside the views, with all that belongs to the moved columns."""

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, ForeignKey
from toolchain.refactor.constraint import check, reference, unique
from toolchain.refactor.split.layout import PartLayout, index_on
from toolchain.refactor.sql import ident, idents, literal, named, relation, script


def hidden(part: PartLayout) -> RelationName:
    """The name that a part's table bears until the contract."""
    return part.table.beside(named(part.table.name, "next"))


def create(part: PartLayout, table: RelationName) -> str:
    """The table of a part under a name, with its constraints, indexes and comments."""
    moves = "" if part.key_is_fixed else " ON UPDATE CASCADE"
    lines = [
        *(
            f"{ident(name)} {column.type}{_collation(column)}"
            + ("" if len(part.key) == 1 else " NOT NULL")
            for name, column in zip(part.reference, part.key_columns, strict=True)
        ),
        *(_column(column) for column in part.columns),
        f"CONSTRAINT {ident(named(part.table.name, 'pkey'))}"
        f" PRIMARY KEY ({idents(part.reference)})",
        f"CONSTRAINT {ident(named(part.table.name, *part.reference, 'fkey'))}"
        f" FOREIGN KEY ({idents(part.reference)}) REFERENCES {relation(part.source)}"
        f" ({idents(part.key)}){moves} ON DELETE CASCADE",
        *(f"CONSTRAINT {ident(part.index_name(key.name))} {unique(key)}" for key in part.keys),
        *(f"CONSTRAINT {ident(part.final_name(each.name))} {check(each)}" for each in part.checks),
        *(_foreign(part, foreign) for foreign in part.foreign_keys),
    ]
    body = ",\n".join(f"    {line}" for line in lines)
    return script(
        f"CREATE TABLE {relation(table)} (\n{body}\n);",
        *(index_on(index, part.index_name(index.name.name), table) for index in part.indexes),
        _comments(part, table),
    )


def renamed(part: PartLayout) -> str:
    """Give indexes the names that the table's own have given up, and foreign keys their hour."""
    lines = [
        f"ALTER INDEX {relation(part.table.beside(part.index_name(name)))}"
        f" RENAME TO {ident(part.final_name(name))};"
        for name in (
            *(key.name for key in part.keys),
            *(index.name.name for index in part.indexes),
        )
        if part.index_name(name) != part.final_name(name)
    ]
    lines += [
        f"ALTER TABLE {relation(part.table)}\n"
        f"    ALTER CONSTRAINT {ident(part.final_name(foreign.name))}"
        " DEFERRABLE INITIALLY IMMEDIATE;"
        for foreign in part.foreign_keys
        if foreign.deferrable and not foreign.deferred
    ]
    return "\n".join(lines)


def _collation(column: Column) -> str:
    return f" COLLATE {column.collation}" if column.collation else ""


def _column(column: Column) -> str:
    default = f" DEFAULT {column.default}" if column.default is not None else ""
    return (
        f"{ident(column.name)} {column.type}{_collation(column)}{default}"
        f"{' NOT NULL' if column.not_null else ''}"
    )


def _foreign(part: PartLayout, foreign: ForeignKey) -> str:
    return (
        f"CONSTRAINT {ident(part.final_name(foreign.name))} {reference(foreign)}"
        # A server may have deferred its own, and no copy may be asked earlier than that.
        f"{' DEFERRABLE INITIALLY DEFERRED' if foreign.deferrable else ''}"
    )


def _comments(part: PartLayout, table: RelationName) -> str:
    """What the customer's or the chain's SQL said of a column goes with it."""
    target = relation(table).replace("'", "''").replace("%", "%%")
    names = ", ".join(literal(name) for name in part.moved)
    return f"""\
DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT attname, description
        FROM pg_catalog.pg_attribute
        JOIN pg_catalog.pg_description ON objoid = attrelid AND objsubid = attnum
        WHERE classoid = 'pg_catalog.pg_class'::regclass
          AND attrelid = {literal(relation(part.source))}::regclass
          AND attname IN ({names})
    LOOP
        EXECUTE format('COMMENT ON COLUMN {target}.%I IS %L', entry.attname, entry.description);
    END LOOP;
END
$block$;"""
