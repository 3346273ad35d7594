"""The old table as a view of the new one: UPDATE is PostgreSQL's own, INSERT and DELETE are not."""

from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.phases import Act, Limit
from toolchain.refactor.sql import (
    Owner,
    comment,
    copy_grants,
    ident,
    literal,
    relation,
    script,
    trigger,
    trigger_function,
)
from toolchain.refactor.viewed import part_limits


def create(merge: MergeLayout, part: PartLayout) -> str:
    """The view, its triggers, its defaults, and the rights of the table aside."""
    outer = {part.key: f"{ident(merge.key)} AS {ident(part.key)}"}
    columns = ", ".join(outer.get(name, ident(name)) for name in part.order)
    defaults = [(column.name, column.default) for column in part.columns]
    return script(
        _guard(merge, part),
        f"CREATE VIEW {relation(part.table)} AS\n"
        f"    SELECT {columns}\n"
        f"    FROM {relation(merge.into)}\n"
        f"    WHERE {part.present()}\n"
        f"      AND (SELECT {relation(part.beside('guard'))}())\n"
        "    WITH LOCAL CHECK OPTION;",
        "\n".join(
            f"ALTER VIEW {relation(part.table)} ALTER COLUMN {ident(name)} SET DEFAULT {default};"
            for name, default in (*defaults, (part.key, part.key_default))
            if default is not None
        ),
        _insert(merge, part),
        _delete(merge, part),
        copy_grants(part.aside, part.table, Owner.RIGHTS),
    )


def drop(part: PartLayout) -> str:
    """Take the view and its functions away."""
    functions = [f"{relation(part.beside(what))}()" for what in ("insert", "delete", "guard")]
    return f"DROP VIEW {relation(part.table)};\nDROP FUNCTION {', '.join(functions)};"


def limits(merge: MergeLayout, part: PartLayout) -> tuple[Limit, ...]:
    """What servers cannot do before the contract."""
    return (
        *part_limits(
            part.table,
            when="from the migration to the contract",
            reference=(part.key,),
            key=ident(merge.key),
            source=merge.into,
        ),
        Limit(
            act=Act.TRUNCATE,
            relation=merge.into,
            why=f"the table behind the view {part.table} refers to {merge.into}; use TRUNCATE …"
            " CASCADE, or DELETE",
        ),
    )


def _guard(merge: MergeLayout, part: PartLayout) -> str:
    """A function that fails for a snapshot that is older than the view."""
    guard, view = relation(part.beside("guard")), literal(relation(part.table))
    message = f"{part.table}: {merge.change} has moved its rows since this transaction began"
    why = comment(
        "A transaction above READ COMMITTED may have a snapshot from before the migration's end,"
        " and would find the view empty. It does not see the view's own entry in the catalog"
        " either, and is told to try again."
    )
    return f"""\
{why}
CREATE FUNCTION {guard}() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = {view}::regclass) THEN
        RAISE serialization_failure USING
            MESSAGE = {literal(message)},
            HINT = 'Try the transaction again.';
    END IF;
    RETURN true;
END
$function$;
GRANT EXECUTE ON FUNCTION {guard}() TO PUBLIC;"""


def _constraint(part: PartLayout, kind: str) -> str:
    name = relation(part.table)
    return (
        f"SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, MESSAGE = {literal(f'{name}: {kind}')}"
    )


def _insert(merge: MergeLayout, part: PartLayout) -> str:
    name, into, key = part.beside("insert"), relation(merge.into), ident(merge.key)
    missing = "".join(
        f"IF NEW.{ident(column)} IS NULL THEN\n"
        f"    RAISE not_null_violation USING COLUMN = {literal(column)},"
        f" {_constraint(part, f'{column} is NULL')};\n"
        "END IF;\n"
        for column in part.required
    )
    assigned = [f"{ident(each.name)} = NEW.{ident(each.name)}" for each in part.columns]
    if part.marker is not None:
        assigned.append(f"{ident(part.marker)} = true")
    body = f"""\
{missing}SELECT {part.present()} INTO is_taken
FROM {into} WHERE {key} = NEW.{ident(part.key)}
FOR NO KEY UPDATE;
IF NOT FOUND THEN
    RAISE foreign_key_violation USING
        DETAIL = format('Key (%s)', NEW.{ident(part.key)}),
        {_constraint(part, f"there is no such row in {merge.into.name}")};
ELSIF is_taken THEN
    RAISE unique_violation USING
        DETAIL = format('Key (%s)', NEW.{ident(part.key)}),
        {_constraint(part, "there is such a row already")};
END IF;
UPDATE {into}
SET {", ".join(assigned)}
WHERE {key} = NEW.{ident(part.key)};
RETURN NEW;"""
    return script(
        trigger_function(name, body, ["is_taken boolean"]),
        trigger(name.name, "INSTEAD OF INSERT", part.table, name),
    )


def _delete(merge: MergeLayout, part: PartLayout) -> str:
    name, into, key = part.beside("delete"), relation(merge.into), ident(merge.key)
    assigned = [f"{ident(each.name)} = NULL" for each in part.columns]
    if part.marker is not None:
        assigned.append(f"{ident(part.marker)} = NULL")
    body = f"""\
SELECT {part.differs("target.", "OLD.")} INTO has_changed
FROM {into} AS target
WHERE {key} = OLD.{ident(part.key)} AND {part.present()}
FOR NO KEY UPDATE;
IF NOT FOUND THEN
    RETURN NULL;
ELSIF has_changed THEN
    -- Somebody was faster, and only the server can ask again whether this row is meant.
    RAISE serialization_failure USING
        HINT = 'Try the transaction again.',
        {_constraint(part, "the row was changed while it was to be deleted")};
END IF;
UPDATE {into}
SET {", ".join(assigned)}
WHERE {key} = OLD.{ident(part.key)};
RETURN OLD;"""
    return script(
        trigger_function(name, body, ["has_changed boolean"]),
        trigger(name.name, "INSTEAD OF DELETE", part.table, name),
    )
