"""The copy of what is to move: one way, from the table to the tables that are hidden beside it."""

from collections.abc import Sequence
from textwrap import indent

from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Migration
from toolchain.refactor.split.hidden import create, hidden
from toolchain.refactor.split.layout import PartLayout
from toolchain.refactor.sql import (
    comment,
    ident,
    idents,
    image,
    literal,
    named,
    relation,
    script,
    trigger,
    trigger_function,
)


def migration(parts: tuple[PartLayout, ...], walk: str) -> Migration:
    """Make the hidden tables and their triggers, copy in batches; the undo throws them away."""
    source = parts[0].source
    return Migration(
        table=source,
        key=walk,
        begin=script(
            comment(
                f"The tables that the parts of {source.name} become. A trigger follows each write"
                " of the old table, the batches copy the rest, and the contract swaps them in."
                " The reference deletes a copy with its row."
            ),
            *(create(part, hidden(part)) for part in parts),
            comment(
                "The writer holds the lock of the row already, and everybody takes that one"
                " first. The functions run as their owner, since a server need not be allowed to"
                " write the unfinished tables."
            ),
            *(follow(part, hidden(part)) for part in parts),
        ),
        batch=batch(parts, walk, [hidden(part) for part in parts], "FOR SHARE"),
        finish=script(
            comment("The contract reads the age of this note: older snapshots miss some copies.")
            + f"\nCOMMENT ON TABLE {relation(hidden(parts[0]))} IS 'complete';"
        ),
        undo=script(
            comment("Only copies are thrown away; the old table is the truth until the contract."),
            *(stop(part) for part in parts),
            f"DROP TABLE {', '.join(relation(hidden(part)) for part in parts)};",
        ),
    )


def stop(part: PartLayout) -> str:
    """Take the triggers away."""
    return "\n".join([
        f"DROP TRIGGER {ident(_called(part, 'insert').name)} ON {relation(part.source)};",
        f"DROP TRIGGER {ident(_called(part, 'update').name)} ON {relation(part.source)};",
        f"DROP FUNCTION {relation(_called(part))}();",
    ])  # fmt: skip


def follow(part: PartLayout, table: RelationName, quietly: str = "") -> str:
    """Triggers that carry each write of the old table over to a part's physical table.

    `quietly` is a setting that keeps the part's own triggers still, where it has any.
    """
    name, target = _called(part), relation(table)
    names = (*part.reference, *part.moved)
    update = ",\n    ".join(f"{ident(each)} = excluded.{ident(each)}" for each in part.moved)
    meet = f"""\
INSERT INTO {target} ({idents(names)})
VALUES ({idents((*part.key, *part.moved), "OLD.")})
ON CONFLICT DO NOTHING;"""
    settled = ""
    if quietly:
        setting = f"PERFORM set_config({literal(quietly)}, '%s', true);"
        meet = "\n".join([setting % "on", meet, setting % "off"])
        settled = f"""\
-- A write that has come from the part finds it equal, as a rule; to see that is cheaper.
IF pg_trigger_depth() > 1 AND EXISTS (
    SELECT FROM {relation(part.source)} AS source
    JOIN {target} AS copy ON {part.matches("copy", "source.")}
    WHERE {part.is_row("NEW")} AND ({part.present("source.")})
      AND NOT ({part.differs("source.", "copy.", 15)})
) THEN
    RETURN NULL;
END IF;
"""
    body = f"""\
IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- Where another transaction deleted a row of this key after the snapshot, that row is still
    -- seen beside the new one. To lock it fails, and the server tries again.
    PERFORM FROM {relation(part.source)} AS source WHERE {part.is_row("NEW")} FOR KEY SHARE;
END IF;
IF TG_OP = 'UPDATE' AND {image(part.key, "OLD.")} *<> {image(part.key, "NEW.")} THEN
    -- Another key is another row; perhaps the reference has moved the copy already.
    DELETE FROM {target} AS copy WHERE {part.matches("copy", "OLD.")};
END IF;
{settled}-- The row as it is now: a trigger that came before may have written it since NEW.
INSERT INTO {target} AS copy ({idents(names)})
SELECT {idents((*part.key, *part.moved), "source.")}
FROM {relation(part.source)} AS source
WHERE {part.is_row("NEW")} AND ({part.present("source.")})
ON CONFLICT ({idents(part.reference)}) DO UPDATE
SET {update}
WHERE {part.differs("copy.", "excluded.", 6)};
IF NOT FOUND AND NOT EXISTS (
    SELECT FROM {relation(part.source)} AS source
    WHERE {part.is_row("NEW")} AND ({part.present("source.")})
) THEN
    IF current_setting('transaction_isolation') <> 'read committed'
       AND TG_OP = 'UPDATE' AND ({part.present("OLD.")})
       AND EXISTS (
           SELECT FROM {relation(part.source)} AS source WHERE {part.is_row("NEW")}
       ) THEN
        -- A copy that a batch has made since the snapshot would be missed by the DELETE below.
        -- This meets it, and fails with "could not serialize access": the server tries again.
{indent(meet, " " * 8)}
    END IF;
    DELETE FROM {target} AS copy WHERE {part.matches("copy", "NEW.")};
END IF;
RETURN NULL;"""
    written = (*part.key, *part.moved)
    changed = f"{image(written, 'OLD.')}\n          *<> {image(written, 'NEW.')}"
    inserted, updated = _called(part, "insert").name, _called(part, "update").name
    return script(
        trigger_function(name, body),
        trigger(inserted, "AFTER INSERT", part.source, name, part.present("NEW.")),
        trigger(updated, "AFTER UPDATE", part.source, name, changed),
    )


def _called(part: PartLayout, what: str = "follow") -> RelationName:
    return part.table.beside(named(part.table.name, "next", what))


def batch(parts: Sequence[PartLayout], walk: str, tables: Sequence[RelationName], lock: str) -> str:
    """The statement that copies one batch to the physical tables of the parts."""
    columns = dict.fromkeys(name for part in parts for name in (*part.key, *part.moved))
    opening = comment(
        "Copies one batch. The rows are locked first, so that no writer stands between what is"
        " read and what is written: a write that came before is read here, one that comes later"
        " is followed by the trigger, a deleted row is not found. A row that the trigger brought"
        " already is the newer one."
    )
    lines = [
        opening,
        "WITH batch AS MATERIALIZED (",
        f"    SELECT {idents(columns)}",
        f"    FROM {relation(parts[0].source)}",
        f"    WHERE {ident(walk)} BETWEEN $1 AND $2",
        f"    ORDER BY {ident(walk)}",
        f"    {lock}",
        ")",
    ]
    copies = [_copy(part, table) for part, table in zip(parts, tables, strict=True)]
    for number, copy in enumerate(copies[:-1]):
        lines[-1] += ","
        lines += [f"copied_{number} AS (", indent(copy, "    "), ")"]
    return "\n".join([*lines, copies[-1] + ";"]) + "\n"


def _copy(part: PartLayout, table: RelationName) -> str:
    return (
        f"INSERT INTO {relation(table)} ({idents((*part.reference, *part.moved))})\n"
        f"SELECT {idents((*part.key, *part.moved))} FROM batch\n"
        f"WHERE {part.present()}\n"
        f"ON CONFLICT ({idents(part.reference)}) DO NOTHING"
    )
