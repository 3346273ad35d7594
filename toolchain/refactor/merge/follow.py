"""The old table, kept up to date behind the view that has taken its name.

So its constraints hold until the contract, and the undo need only give it its name back.
"""

from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.sql import ident, idents, relation, script, trigger, trigger_function


def create(merge: MergeLayout, part: PartLayout) -> str:
    """The triggers of the table; their function does nothing until the view is there."""
    function = part.beside("follow")
    words = [
        idle(part),
        trigger(
            part.beside("follow_insert").name,
            "AFTER INSERT",
            merge.into,
            function,
            part.present("NEW."),
        ),
        trigger(
            part.beside("follow_update").name,
            "AFTER UPDATE",
            merge.into,
            function,
            f"{part.differs('OLD.', 'NEW.')}\n"
            f"          OR ({part.present('OLD.')}) <> ({part.present('NEW.')})",
        ),
    ]
    if part.marker is not None:
        present = part.beside("present")
        words += [
            trigger_function(present, f"NEW.{ident(part.marker)} := true;\nRETURN NEW;"),
            trigger(
                present.name,
                "BEFORE INSERT OR UPDATE",
                merge.into,
                present,
                f"NEW.{ident(part.marker)} IS NOT TRUE AND ({part.filled('NEW.')})",
            ),
        ]
    return script(*words)


def drop(merge: MergeLayout, part: PartLayout) -> str:
    """Take all of it away."""
    triggers = ["follow_insert", "follow_update"]
    functions = ["follow"]
    if part.marker is not None:
        triggers.append("present")
        functions.append("present")
    lines = [
        f"DROP TRIGGER {ident(part.beside(what).name)} ON {relation(merge.into)};"
        for what in triggers
    ]
    names = ", ".join(f"{relation(part.beside(what))}()" for what in functions)
    return "\n".join([*lines, f"DROP FUNCTION {names};"])


def idle(part: PartLayout, *, replace: bool = False) -> str:
    """The function while the part is a table: what is written into the other comes from there."""
    return trigger_function(part.beside("follow"), "RETURN NULL;", replace=replace)


def active(merge: MergeLayout, part: PartLayout) -> str:
    """The function while the part is a view.

    The writer holds the row of the other table, and nobody else writes the row behind it.
    """
    aside, key = relation(part.aside), ident(part.key)
    names = [column.name for column in part.columns]
    assigned = ",\n    ".join(f"{ident(name)} = excluded.{ident(name)}" for name in names)
    into, own = relation(merge.into), f"source.{ident(merge.key)}"
    body = f"""\
IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- Where another transaction deleted a row of this key after the snapshot, that row is still
    -- seen beside the new one. To lock it fails, and the server tries again.
    PERFORM FROM {into} AS source WHERE {own} = NEW.{ident(merge.key)} FOR KEY SHARE;
END IF;
-- The row as it is now: a trigger that came before may have written it since NEW.
INSERT INTO {aside} ({key}, {idents(names)})
SELECT {own}, {idents(names, "source.")}
FROM {into} AS source
WHERE {own} = NEW.{ident(merge.key)} AND {part.present("source.")}
ON CONFLICT ({key}) DO UPDATE
SET {assigned};
IF NOT FOUND THEN
    DELETE FROM {aside} WHERE {key} = NEW.{ident(merge.key)};
END IF;
RETURN NULL;"""
    return trigger_function(part.beside("follow"), body, replace=True)
