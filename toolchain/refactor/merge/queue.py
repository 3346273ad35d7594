"""The way of changes from the parts into the table, until the migration ends.

A trigger that copied at once would hold a row of the part and wait for the row that it goes into,
while a writer that has that row waits for the part: a deadlock. So writers only note the key in a
table into which everybody inserts and for which nobody waits; the migration copies what is noted.
It skips the rows that somebody holds, so it waits for nobody either. A row that is as its parts say
is not locked: what is noted anew after the look has a note of its own.
"""

from textwrap import indent

from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.sql import (
    comment,
    ident,
    literal,
    relation,
    script,
    trigger,
    trigger_function,
)

_PORTION = 1000


def create_queue(merge: MergeLayout) -> str:
    """The table of noted keys, and for each part the functions that note them."""
    table = (
        comment(
            "Writers of a part note its key here and copy nothing themselves: so nobody waits for"
            " a row that he would not have waited for before."
        )
        + f"\nCREATE TABLE {relation(merge.queue)} (\n"
        "    mark bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        f"    key {merge.key_type} NOT NULL\n);"
    )
    return script(table, *(_functions(merge, part) for part in merge.parts))


def drop_queue(merge: MergeLayout) -> str:
    """Take away the table and its functions; the triggers are gone."""
    functions = ", ".join(
        f"{relation(part.beside(what))}()"
        for part in merge.parts
        for what in ("note", "note_truncate")
    )
    return f"DROP FUNCTION {functions};\nDROP TABLE {relation(merge.queue)};"


def create_triggers(part: PartLayout) -> str:
    """From here on the changes of a part are noted."""
    note, emptied = part.beside("note"), part.beside("note_truncate")
    return "\n".join([
        trigger(note.name, "AFTER INSERT OR UPDATE OR DELETE", part.table, note),
        f"CREATE TRIGGER {ident(emptied.name)}\n"
        f"    BEFORE TRUNCATE ON {relation(part.table)}\n"
        "    FOR EACH STATEMENT\n"
        f"    EXECUTE FUNCTION {relation(emptied)}();",
    ])  # fmt: skip


def drop_triggers(part: PartLayout) -> str:
    """The changes of a part are noted no longer."""
    return "\n".join(
        f"DROP TRIGGER {ident(part.beside(what).name)} ON {relation(part.table)};"
        for what in ("note", "note_truncate")
    )


def batch(merge: MergeLayout) -> str:
    """Copy the parts of a range of rows, and some of what has been noted."""
    into, key, queue = relation(merge.into), ident(merge.key), relation(merge.queue)
    rows = f"""\
WITH locked AS MATERIALIZED (
    SELECT {key} AS key FROM {into}
    WHERE {key} BETWEEN $1 AND $2
    ORDER BY {key}
    FOR NO KEY UPDATE SKIP LOCKED
)
{_copy(merge, "locked")}
  AND target.{key} BETWEEN $1 AND $2;"""
    skipped = f"""\
INSERT INTO {queue} (key)
SELECT target.{key}
FROM {into} AS target
{_joins(merge, f"target.{key}")}
WHERE target.{key} BETWEEN $1 AND $2
  AND ({_differs(merge)});"""
    noted = f"""\
WITH noted AS MATERIALIZED (
    SELECT DISTINCT key FROM (
        SELECT key FROM {queue}
        WHERE key <= $2 OR coalesce($1, $2) IS NULL
        ORDER BY mark
        LIMIT {_PORTION} + (SELECT count(*) FROM {into} WHERE {key} BETWEEN $1 AND $2)
    ) AS marks
),
differing AS MATERIALIZED (
    SELECT noted.key
    FROM noted
    JOIN {into} AS target ON target.{key} = noted.key
{indent(_joins(merge, "noted.key"), "    ")}
    WHERE {_differs(merge)}
),
locked AS MATERIALIZED (
    SELECT {key} AS key FROM {into}
    WHERE {key} IN (SELECT key FROM differing)
    ORDER BY {key}
    FOR NO KEY UPDATE SKIP LOCKED
),
copied AS (
{indent(_copy(merge, "locked"), "    ")}
)
DELETE FROM {queue} AS queue USING noted
WHERE queue.key = noted.key
  AND (noted.key IN (SELECT key FROM locked)
       OR noted.key NOT IN (SELECT key FROM differing));"""
    return script(
        comment(
            "A row that somebody holds is skipped, so no server ever waits for a batch that waits"
            " for a server. What a server changes after this has read it is noted by a trigger."
        )
        + "\n"
        + rows,
        comment("What was skipped is noted too.") + "\n" + skipped,
        comment(
            "A key is taken from the notes by the statement that reads its part: whoever notes it"
            " anew has made a change that this statement has not seen. The larger the batch, the"
            " more notes it takes. Without a range (NULL) it takes notes of any key."
        )
        + "\n"
        + noted,
    )


def drain(merge: MergeLayout) -> str:
    """Copy all that is noted, while nobody can write a part; 55P03 where a row is held."""
    into, key, queue = relation(merge.into), ident(merge.key), relation(merge.queue)
    return (
        comment(
            "Nobody writes a part now. Waiting for a row here, with the parts locked, could be a"
            " deadlock with a server that waits for a part; so this gives up at once, and is tried"
            " again after another batch. Rows that are as their parts say are not even locked."
        )
        + f"""
DO $block$
BEGIN
    PERFORM FROM {into} AS target
{indent(_joins(merge, f"target.{key}"), "    ")}
    WHERE target.{key} IN (SELECT key FROM {queue})
      AND ({_differs(merge)})
    ORDER BY target.{key}
    FOR NO KEY UPDATE OF target NOWAIT;
END
$block$;
WITH noted AS MATERIALIZED (SELECT DISTINCT key FROM {queue})
{_copy(merge, "noted")};
DELETE FROM {queue};"""
    )


def _functions(merge: MergeLayout, part: PartLayout) -> str:
    queue, key = relation(merge.queue), ident(part.key)
    note = f"""\
IF TG_OP <> 'INSERT' THEN
    INSERT INTO {queue} (key) VALUES (OLD.{key});
END IF;
IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.{key} IS DISTINCT FROM OLD.{key} THEN
    INSERT INTO {queue} (key) VALUES (NEW.{key});
END IF;
RETURN NULL;"""
    emptied = f"""\
IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE feature_not_supported USING
        MESSAGE = {literal(f"{part.table} cannot be truncated above READ COMMITTED yet")},
        HINT = 'Such a transaction does not see all rows.';
END IF;
INSERT INTO {queue} (key) SELECT {key} FROM {relation(part.table)};
RETURN NULL;"""
    return script(
        trigger_function(part.beside("note"), note),
        trigger_function(part.beside("note_truncate"), emptied),
    )


def _source(merge: MergeLayout, part: PartLayout) -> str:
    return f"part_{merge.parts.index(part) + 1}"


def _joins(merge: MergeLayout, key: str) -> str:
    return "\n".join(
        f"LEFT JOIN {relation(part.table)} AS {alias} ON {alias}.{ident(part.key)} = {key}"
        for part in merge.parts
        for alias in (_source(merge, part),)
    )


def _differs(merge: MergeLayout) -> str:
    conditions = []
    for part in merge.parts:
        alias = _source(merge, part)
        conditions.append(part.differs("target.", f"{alias}."))
        if part.marker is not None:
            there = f"({alias}.{ident(part.key)} IS NOT NULL)"
            conditions.append(f"(target.{ident(part.marker)} IS TRUE) <> {there}")
    return " OR ".join(conditions)


def _copy(merge: MergeLayout, keys: str) -> str:
    """An UPDATE of the rows whose keys stand there; conditions may be added with AND."""
    assigned = []
    for part in merge.parts:
        alias = _source(merge, part)
        assigned += [f"{ident(each.name)} = {alias}.{ident(each.name)}" for each in part.columns]
        if part.marker is not None:
            assigned.append(f"{ident(part.marker)} = {alias}.{ident(part.key)} IS NOT NULL")
    return (
        f"UPDATE {relation(merge.into)} AS target\n"
        f"SET {', '.join(assigned)}\n"
        f"FROM {keys}\n{_joins(merge, f'{keys}.key')}\n"
        f"WHERE target.{ident(merge.key)} = {keys}.key\n"
        f"  AND ({_differs(merge)})"
    )
