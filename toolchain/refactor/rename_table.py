"""A table under a new name: a view has it until the contract, then the table itself."""

from toolchain.model.refactoring import RenameTable, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.finding import table_of, taken
from toolchain.refactor.phases import Act, Expand, Limit, Phases, UnableError
from toolchain.refactor.sql import (
    Owner,
    comment,
    copy_grants,
    ident,
    idents,
    relation,
    script,
)


def phases(_change: str, rename: RenameTable, schema: Schema) -> Phases:
    """The phases of a renaming; raises UnableError where it would break somebody."""
    table, new = _known(rename, schema), rename.table.beside(rename.to)
    return Phases(
        strategy=Strategy.VIEW,
        why="the new name is a view of all columns, which PostgreSQL reads and writes as the table;"
        " until the contract only the old name has xmin and ctid, ON CONFLICT ON CONSTRAINT, MERGE"
        " before PostgreSQL 17, and GROUP BY of the primary key for all columns",
        expand=_expand(table, new),
        contract=_contract(table.name, new),
        ready_at_expand=True,
        limits=_limits(new),
    )


def _known(rename: RenameTable, schema: Schema) -> TableSchema:
    table, new = table_of(schema, rename.table), rename.table.beside(rename.to)
    if new in taken(schema):
        raise UnableError(f"{new} is there already", "give the table another name with 'to'")
    if table.row_security or table.policies:
        raise UnableError(
            f"{table.name} has row security, and a view of it runs with the rights of its owner,"
            " whom no policy binds",
            "keep the name, or rename the table by SQL of your own in a release that stops its"
            " servers",
        )
    if table.publications:
        raise UnableError(
            f"the publication {table.publications[0]} names {table.name}: its subscribers look for"
            " a table of the same name, and would stop at the new one",
            "keep the name, or rename the table by SQL of your own after its subscribers have one"
            " of the new name",
        )
    if table.rules:
        raise UnableError(
            f"the rule {table.rules[0]} rewrites what servers do to {table.name}, and ON CONFLICT"
            " is refused there",
            "replace the rule by a trigger in an earlier release",
        )
    return table


def _expand(table: TableSchema, new: RelationName) -> Expand:
    columns = idents(column.name for column in table.columns)
    return Expand(
        sql=script(
            comment(
                f"{table.name.name} becomes {new.name}. Until the contract the new name is a view"
                " of the whole table, so that servers read and write the same rows by either name."
                " Defaults, identity and generated columns, keys and triggers are the table's, by"
                " this name too."
            )
            + f"\nCREATE VIEW {relation(new)} AS\n"
            f"    SELECT {columns}\n"
            f"    FROM {relation(table.name)};",
            comment("Whoever may work on the table may do so by its new name."),
            copy_grants(table.name, new),
        ),
        undo=script(f"DROP VIEW {relation(new)};"),
    )


def _contract(old: RelationName, new: RelationName) -> str:
    return script(
        comment(
            f"The view gives the name {new.name} up and the table takes it. Its indexes,"
            " constraints and sequences keep their names, as ALTER TABLE … RENAME leaves them. Who"
            " writes by the new name locks the view first, so this does too."
        )
        + f"\nLOCK TABLE {relation(new)}, {relation(old)} IN ACCESS EXCLUSIVE MODE;",
        comment("Rights given on the new name since the expand."),
        copy_grants(new, old, Owner.NOTHING),
        f"DROP VIEW {relation(new)};",
        f"ALTER TABLE {relation(old)} RENAME TO {ident(new.name)};",
    )


def _limits(new: RelationName) -> tuple[Limit, ...]:
    view = f"{new} is a view until the contract"
    return (
        Limit(
            act=Act.TRUNCATE,
            relation=new,
            why=f"{view}, and only tables can be truncated; use DELETE, or the old name",
        ),
        Limit(
            act=Act.MERGE,
            relation=new,
            why=f"{view}, which takes no MERGE before PostgreSQL 17; use the old name",
        ),
        Limit(
            act=Act.ON_CONSTRAINT,
            relation=new,
            why=f"{view}, and has no constraints; name the columns in ON CONFLICT",
        ),
        Limit(
            act=Act.COPY,
            relation=new,
            why=f"{view}, and COPY … FROM wants a table; use INSERT, or the old name",
        ),
        Limit(
            act=Act.COPY_OUT,
            relation=new,
            why=f"{view}: COPY … TO wants a query, as in COPY (SELECT …) TO",
        ),
    )
