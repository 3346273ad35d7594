"""The parts as views of the table: one truth, which both forms read and write."""

from toolchain.refactor.phases import Expand, Limit
from toolchain.refactor.split.instead import beside, delete, insert
from toolchain.refactor.split.layout import PartLayout
from toolchain.refactor.split.required import defer, release, restore
from toolchain.refactor.sql import (
    comment,
    copy_grants,
    ident,
    relation,
    script,
)
from toolchain.refactor.viewed import part_limits


def expand(parts: tuple[PartLayout, ...]) -> Expand:
    """The views, and what INSERT and DELETE do on them; nothing is copied."""
    source = parts[0].source
    opening = comment(
        f"{source.name} is split. One truth, two forms: until the contract the parts are views of"
        " the old table, so that whichever form a server writes, it locks and changes the same"
        " single row. No update can be lost between two copies, and writers of the two forms"
        " cannot deadlock: there is but one row to lock."
    )
    return Expand(
        sql=script(opening, *(_part(part) for part in parts)),
        undo=script(
            comment("Every write went into the old table, so there is nothing to bring back."),
            *(drop(part) for part in parts),
            *(restore(part) for part in parts),
        ),
    )


def drop(part: PartLayout) -> str:
    """Take the view of a part away, with all that was made for it."""
    functions = [f"{relation(beside(part, what))}()" for what in ("insert", "delete")]
    lines = [
        f"DROP VIEW {relation(part.table)};",
        f"DROP FUNCTION {', '.join(functions)};",
    ]
    if part.defaults:
        lines.append(f"DROP VIEW {relation(beside(part, 'defaults'))};")
    return "\n".join(lines) + "\n" + release(part)


def limits(part: PartLayout) -> tuple[Limit, ...]:
    """What a server cannot do with a part that is a view."""
    return part_limits(
        part.table,
        when="until the contract",
        reference=part.reference,
        key=", ".join(part.key),
        source=part.source,
    )


def _part(part: PartLayout) -> str:
    columns = [
        *(
            f"{ident(key)} AS {ident(name)}"
            for key, name in zip(part.key, part.reference, strict=True)
        ),
        *(ident(name) for name in part.moved),
    ]
    view = (
        comment(
            "UPDATE of this view is PostgreSQL's own. INSERT and DELETE are not: an INSERT would"
            f" make a row of {part.source.name}, and a DELETE would delete the whole of it. A row"
            " with nothing in these columns has no such part, as it will have none in the table"
            " to come."
        )
        + f"\nCREATE VIEW {relation(part.table)} AS\n"
        f"    SELECT {', '.join(columns)}\n"
        f"    FROM {relation(part.source)}\n"
        f"    WHERE {part.present()};"
    )
    return script(
        view,
        _defaults(part),
        defer(part),
        insert(part),
        delete(part),
        comment(
            f"Whoever may work on {part.source.name} may work on its part: the roles of the"
            " servers are the customer's."
        )
        + "\n"
        + copy_grants(part.source, part.table),
    )


def _defaults(part: PartLayout) -> str:
    if not part.defaults:
        return ""
    values = ", ".join(
        f"CAST({column.default} AS {column.type}) AS {ident(column.name)}"
        for column in part.defaults
    )
    lines = [
        f"ALTER VIEW {relation(part.table)} ALTER COLUMN {ident(column.name)}"
        f" SET DEFAULT {column.default};"
        for column in part.defaults
    ]
    return (
        "\n".join(lines)
        + "\n\n"
        + comment(
            f"A new row of {part.source.name} has these values before a server has inserted the"
            " part; here they stand where the function below finds them under any search_path."
        )
        + f"\nCREATE VIEW {relation(beside(part, 'defaults'))} AS\n    SELECT {values};"
    )
