"""The parts as real tables from the expand on, which triggers keep equal to the old table."""

from toolchain.refactor.phases import Act, Expand, Limit, Migration, UnableError
from toolchain.refactor.split.follow import batch, follow, stop
from toolchain.refactor.split.hidden import create, renamed
from toolchain.refactor.split.layout import PartLayout
from toolchain.refactor.split.pair import bring_back, let_go, quiet
from toolchain.refactor.split.required import defer, release, restore
from toolchain.refactor.split.swap import proof
from toolchain.refactor.sql import comment, copy_grants, ident, relation, script


def refuse(parts: tuple[PartLayout, ...]) -> None:
    """Raise UnableError for what only views can do."""
    for part in parts:
        if part.defaults:
            name = part.defaults[0].name
            raise UnableError(
                f"{part.source}.{name} has a default, so each new row would have the part"
                f" {part.table} already when a server comes to insert it",
                "leave 'strategy' out, or drop the default by drop_default in an earlier release",
            )


def expand(parts: tuple[PartLayout, ...]) -> Expand:
    """The tables, and triggers both ways."""
    source = parts[0].source
    return Expand(
        sql=script(
            comment(
                f"{source.name} is split, and both forms are real tables until the contract. A"
                " write of either is carried over to the other in the same transaction, by"
                " triggers that run as their owner: a server needs no right on the other form."
            ),
            *(_part(part) for part in parts),
        ),
        undo=script(
            comment("The old table has all that was written to its parts."),
            *(_drop(part) for part in parts),
            f"DROP TABLE {', '.join(relation(part.table) for part in parts)};",
            *(restore(part) for part in parts),
        ),
    )


def migration(parts: tuple[PartLayout, ...], walk: str) -> Migration:
    """Copy the rows that nobody has written since the expand."""
    tables = [part.table for part in parts]
    return Migration(
        table=parts[0].source,
        key=walk,
        batch=batch(parts, walk, tables, "FOR NO KEY UPDATE"),
    )


def contract(change: str, parts: tuple[PartLayout, ...]) -> str:
    """Prove, lock, drop."""
    source = relation(parts[0].source)
    columns = ",\n".join(f"    DROP COLUMN {ident(name)}" for part in parts for name in part.moved)
    return script(
        comment("First, under no lock that anybody would notice, the proof that both are equal."),
        *(proof(change, part, part.table) for part in parts),
        comment("Servers lock the table before its parts, so this does too."),
        f"LOCK TABLE {', '.join([source, *(relation(part.table) for part in parts)])}"
        " IN ACCESS EXCLUSIVE MODE;",
        *(_drop(part) for part in parts),
        f"ALTER TABLE {source}\n{columns};",
        *(renamed(part) for part in parts),
    )


def limits(part: PartLayout) -> tuple[Limit, ...]:
    """What a server cannot do with a part that is a copy."""
    return (
        Limit(
            act=Act.LOCK,
            relation=part.table,
            why=f"until the contract a server that locks a row of {part.table} and then writes"
            f" {part.source} can deadlock with one that writes {part.source}; lock the row of"
            f" {part.source} instead",
        ),
    )


def _part(part: PartLayout) -> str:
    return script(
        create(part, part.table),
        defer(part),
        follow(part, part.table, quiet(part)),
        bring_back(part),
        comment(f"Whoever may work on {part.source.name} may work on its part."),
        copy_grants(part.source, part.table),
    )


def _drop(part: PartLayout) -> str:
    return script(stop(part), let_go(part), release(part))
