"""What INSERT and DELETE do on a part that is a view."""

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


def beside(part: PartLayout, what: str) -> RelationName:
    """The name of what is made for a view."""
    return part.table.beside(named(part.table.name, what))


def _row(part: PartLayout, which: str) -> str:
    return " AND ".join(
        f"source.{ident(key)} = {which}.{ident(name)}"
        for key, name in zip(part.key, part.reference, strict=True)
    )


def _joined(how: str, relation: str) -> str:
    return f"\n{how} {relation}" if relation else ""


def insert(part: PartLayout) -> str:
    """INSERT writes the columns of a row that has no such part yet."""
    name = beside(part, "insert")
    taken, usual = part.present("source."), ""
    if part.defaults:
        plain = [column for column in part.columns if column.default is None]
        differs = [f"source.{ident(column.name)} IS NOT NULL" for column in plain]
        pairs = [
            image((column.name for column in part.defaults), before)
            for before in ("source.", "usual.")
        ]
        differs.append(" *<> ".join(pairs))
        taken = f"({taken}) AND ({' OR '.join(differs)})"
        usual = f"{relation(beside(part, 'defaults'))} AS usual"
    source = relation(part.source)
    label, whole = (name.replace("%", "%%") for name in (part.table.name, part.source.name))
    strange = literal(f"{label}: there is no {whole} %s")
    twice = literal(f"{label}: {whole} %s has its part already")
    which = f"concat_ws(', ', {idents(part.reference, 'NEW.')})"
    write = f"""\
UPDATE {source} AS source
SET {", ".join(f"{ident(column)} = NEW.{ident(column)}" for column in part.moved)}"""
    body = f"""\
{write}{_joined("FROM", usual)}
WHERE {_row(part, "NEW")} AND NOT ({taken});
IF NOT FOUND THEN
    -- Whoever holds the row may give the part back, so the answer is that of the lock.
    SELECT {taken}
    INTO taken
    FROM {source} AS source{indent(_joined("CROSS JOIN", usual), "    ")}
    WHERE {_row(part, "NEW")}
    FOR NO KEY UPDATE OF source;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format({strange}, {which});
    ELSIF taken THEN
        RAISE unique_violation USING
            MESSAGE = format({twice}, {which});
    END IF;
{indent(write, "    ")}
    WHERE {_row(part, "NEW")};
END IF;
RETURN NEW;"""
    return script(
        comment(
            "Like the table to come, the view refuses a part of a row that does not exist (a"
            " foreign key) or that has its part already (a primary key). The function runs as its"
            " owner, as PostgreSQL's own UPDATE of a view does: whoever may write the view need"
            " not be allowed to write the table."
        )
        + "\n"
        + trigger_function(name, body, ["taken boolean"]),
        trigger(name.name, "INSTEAD OF INSERT", part.table, name),
    )


def delete(part: PartLayout) -> str:
    """DELETE empties the columns."""
    name = beside(part, "delete")
    body = f"""\
SELECT {part.differs("source.", "OLD.", 7)}
INTO changed
FROM {relation(part.source)} AS source
WHERE {_row(part, "OLD")} AND ({part.present("source.")})
FOR NO KEY UPDATE;
IF NOT FOUND THEN
    RETURN NULL;
ELSIF changed THEN
    RAISE serialization_failure USING
        MESSAGE = {literal(f"{part.table.name}: the row was changed while it was to be deleted")},
        HINT = 'Try the transaction again.';
END IF;
UPDATE {relation(part.source)} AS source
SET {", ".join(f"{ident(column)} = NULL" for column in part.moved)}
WHERE {_row(part, "OLD")};
RETURN OLD;"""
    return script(
        comment(
            "The rows to delete were found before they are locked here. Where somebody was faster,"
            " the row may not answer the statement's condition any more, and only the server can"
            " ask again."
        )
        + "\n"
        + trigger_function(name, body, ["changed boolean"]),
        trigger(name.name, "INSTEAD OF DELETE", part.table, name),
    )
