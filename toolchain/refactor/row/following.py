"""A column that one form of the server does not write: it follows the row's other columns.

Until somebody writes it apart. What a server wrote is never computed over.
"""

from toolchain.model.schema import TableSchema
from toolchain.refactor.expressions import inputs, over
from toolchain.refactor.row.comparing import differ, same
from toolchain.refactor.row.triggers import RowTrigger
from toolchain.refactor.sql import ident


def following(
    change: str,
    table: TableSchema,
    column: str,
    value: str,
    *,
    required: bool = False,
    walk: str | None = None,
) -> RowTrigger:
    """The trigger that computes a column where the statement leaves it NULL, or as it was.

    A `required` column is filled in rows from before the expand as well, when they are written. One
    that may be NULL is left to the walk over the key `walk`, unless the key changes: the new one
    may lie behind the walk.
    """
    name, reads = ident(column), inputs(value)
    computed = f"NEW.{name} := {over('NEW', value)};"
    if not reads and not required and walk is None:
        return RowTrigger(
            change=change,
            table=table,
            body=f"{computed}\nRETURN NEW;",
            event="BEFORE INSERT",
            when=f"NEW.{name} IS NULL",
        )
    unfilled = ""
    if required:
        unfilled = f" OR OLD.{name} IS NULL"
    elif walk is not None:
        moved = differ([walk], "NEW", "OLD")
        unfilled = (
            "\n    -- The walk that fills old rows may have passed the new key."
            f"\n    OR OLD.{name} IS NULL AND {moved}"
        )
    lines = [
        f"IF TG_OP = 'INSERT'{unfilled} THEN",
        f"    IF NEW.{name} IS NULL THEN",
        f"        {computed}",
        "    END IF;",
    ]
    if reads:
        lines += [
            f"ELSIF {same([column], 'NEW', 'OLD')}",
            f"    AND {differ(sorted(reads), 'NEW', 'OLD')} THEN",
            "    -- It goes on following the others, unless a server wrote it apart from them.",
            "    other := OLD;",
            f"    other.{name} := {over('OLD', value)};",
            f"    IF {same([column], 'other', 'OLD')} THEN",
            f"        {computed}",
            "    END IF;",
        ]
    return RowTrigger(
        change=change,
        table=table,
        body="\n".join([*lines, "END IF;", "RETURN NEW;"]),
        declare=("other record",) if reads else (),
    )
