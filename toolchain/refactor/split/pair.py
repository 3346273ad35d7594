"""A part that servers write natively, and the table: what is written to the part goes back."""

from textwrap import indent

from toolchain.model.relation_name import RelationName
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


def quiet(part: PartLayout) -> str:
    """The setting under which the triggers of a part do nothing."""
    return "interlock.quiet_" + "".join(
        letter if letter.isascii() and letter.isalnum() else "_" for letter in part.table.name
    )


def bring_back(part: PartLayout) -> str:
    """The triggers of the part: first lock the row of the table, then write to it."""
    return script(
        comment(
            "Everybody locks the row of the table before its part. An INSERT can do so too, and"
            " waits. An UPDATE or a DELETE has the part's row in hand already when its trigger"
            " is asked, so it may not wait: where somebody else holds the row of the table, it"
            " fails with 40001, and the server tries its transaction again. Nothing is lost, and"
            " nobody deadlocks."
        ),
        _lock(part),
        comment(
            "What is the same already is not written: that ends the round between the two forms."
        ),
        _write(part),
        _truncate(part),
    )


def let_go(part: PartLayout) -> str:
    """Take these triggers away."""
    whats = ("lock_insert", "lock_change", "write", "truncate")
    functions = ", ".join(f"{relation(_called(part, what))}()" for what in _FUNCTIONS)
    return "\n".join([
        *(f"DROP TRIGGER {ident(_called(part, what).name)} ON {relation(part.table)};"
          for what in whats),
        f"DROP FUNCTION {functions};",
    ])  # fmt: skip


_FUNCTIONS = ("lock", "write", "truncate")


def _called(part: PartLayout, what: str) -> RelationName:
    return part.table.beside(named(part.table.name, what))


def _owner(part: PartLayout, record: str) -> str:
    pairs = zip(part.key, part.reference, strict=True)
    return " AND ".join(f"source.{ident(key)} = {record}.{ident(name)}" for key, name in pairs)


def _lock(part: PartLayout) -> str:
    name, source = _called(part, "lock"), relation(part.source)
    busy = literal(f"{part.table.name}: another transaction holds the row of {part.source.name}")

    def refuse(record: str) -> str:
        return f"""\
PERFORM FROM {source} AS source WHERE {_owner(part, record)} FOR NO KEY UPDATE SKIP LOCKED;
IF NOT FOUND AND EXISTS (SELECT FROM {source} AS source WHERE {_owner(part, record)}) THEN
    RAISE serialization_failure USING MESSAGE = {busy}, HINT = 'Try the transaction again.';
END IF;"""

    body = f"""\
IF TG_OP = 'INSERT' THEN
    PERFORM FROM {source} AS source WHERE {_owner(part, "NEW")} FOR NO KEY UPDATE;
    RETURN NEW;
END IF;
{refuse("OLD")}
IF TG_OP = 'DELETE' THEN
    RETURN OLD;
END IF;
IF {image(part.reference, "OLD.")} *<> {image(part.reference, "NEW.")} THEN
{indent(refuse("NEW"), "    ")}
END IF;
RETURN NEW;"""
    insert, change = _called(part, "lock_insert").name, _called(part, "lock_change").name
    return script(
        trigger_function(name, body),
        trigger(insert, "BEFORE INSERT", part.table, name),
        trigger(change, "BEFORE UPDATE OR DELETE", part.table, name),
    )


def _write(part: PartLayout) -> str:
    name, source, target = _called(part, "write"), relation(part.source), relation(part.table)
    names = [ident(each) for each in part.moved]
    empty = ", ".join(f"{each} = NULL" for each in names)
    held = " OR ".join(f"source.{each} IS NOT NULL" for each in names)
    values = ", ".join(f"{each} = copy.{each}" for each in names)
    references = [image(part.reference, record) for record in ("OLD.", "NEW.")]
    body = f"""\
IF current_setting({literal(quiet(part))}, true) = 'on' THEN
    RETURN NULL;
END IF;
IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND {" *<> ".join(references)} THEN
    UPDATE {source} AS source
    SET {empty}
    WHERE {_owner(part, "OLD")} AND ({held})
      AND NOT EXISTS (SELECT FROM {target} AS copy WHERE {part.matches("copy", "source.")});
END IF;
IF TG_OP <> 'DELETE' THEN
    UPDATE {source} AS source
    SET {values}
    FROM {target} AS copy
    WHERE {_owner(part, "NEW")} AND {part.matches("copy", "source.")}
      AND {part.differs("source.", "copy.", 10)};
    -- A row with nothing in these columns has no part, whichever form says so.
    IF ({part.present("NEW.")}) IS NOT TRUE THEN
        DELETE FROM {target} AS copy
        WHERE ({idents(part.reference, "copy.")}) = ({idents(part.reference, "NEW.")})
          AND ({part.present("copy.")}) IS NOT TRUE;
    END IF;
END IF;
RETURN NULL;"""
    return script(
        trigger_function(name, body),
        trigger(name.name, "AFTER INSERT OR UPDATE OR DELETE", part.table, name),
    )


def _truncate(part: PartLayout) -> str:
    name, source = _called(part, "truncate"), relation(part.source)
    names = [ident(each) for each in part.moved]
    body = f"""\
IF current_setting('transaction_isolation') <> 'read committed'
   AND pg_relation_size({literal(source)}) > 0 THEN
    RAISE feature_not_supported USING
        MESSAGE = {literal(f"{part.table} cannot be truncated above READ COMMITTED yet")},
        HINT = 'Such a transaction does not see all rows.';
END IF;
-- TRUNCATE holds the part already, so it may not wait for the table either.
BEGIN
    LOCK TABLE {source} IN SHARE ROW EXCLUSIVE MODE NOWAIT;
EXCEPTION WHEN lock_not_available THEN
    RAISE serialization_failure USING
        MESSAGE = {literal(f"{part.table.name}: another transaction writes {part.source.name}")},
        HINT = 'Try the transaction again.';
END;
UPDATE {source}
SET {", ".join(f"{each} = NULL" for each in names)}
WHERE {" OR ".join(f"{each} IS NOT NULL" for each in names)};
RETURN NULL;"""
    return script(
        comment("TRUNCATE fires no trigger of a row."),
        trigger_function(name, body),
        f"CREATE TRIGGER {ident(name.name)}\n"
        f"    AFTER TRUNCATE ON {relation(part.table)}\n"
        f"    FOR EACH STATEMENT EXECUTE FUNCTION {relation(name)}();",
    )
