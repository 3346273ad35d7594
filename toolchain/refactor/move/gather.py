"""What the migration does with groups: their value comes from the children, if these agree."""

from toolchain.refactor.move.functions import plain_function
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.sql import ident, idents, literal, relation


def gather(kin: Kinship) -> str:
    """Give the parents of a range of children their values; raises where children disagree.

    A parent that somebody holds is left out, or with the third argument the reason to give up. The
    lock of the parent is enough: whoever changes the group needs it, and fails without.
    """
    key = tuple(f"group_of.key_{number}" for number, _ in enumerate(kin.reference, 1))
    columns = ", ".join(
        f"{name} AS key_{number}" for number, name in enumerate(kin.references(), 1)
    )
    parent, child, child_key = relation(kin.parent), relation(kin.child), ident(kin.child_key)
    create = "    CONTINUE WHEN NOT FOUND;"
    if kin.keyed:
        create = f"""\
    IF NOT FOUND THEN
        INSERT INTO {parent} ({idents((*kin.identity, *kin.names))})
        SELECT {", ".join((*kin.references(), idents(kin.names)))} FROM {child}
        WHERE {kin.of_child(key)} ORDER BY {child_key} LIMIT 1
        ON CONFLICT DO NOTHING
        RETURNING {idents(kin.names)} INTO held;
        IF NOT FOUND AND $3 THEN
            RAISE lock_not_available;
        END IF;
        CONTINUE WHEN NOT FOUND;
    END IF;"""
    assigned = ", ".join(f"{ident(name)} = common.{ident(name)}" for name in kin.names)
    body = f"""\
FOR group_of IN
    SELECT DISTINCT {columns} FROM {child}
    WHERE {child_key} BETWEEN $1 AND $2
    ORDER BY {", ".join(f"key_{number}" for number, _ in enumerate(kin.reference, 1))}
LOOP
    IF $3 THEN
        SELECT {idents(kin.names)} INTO held FROM {parent}
        WHERE {kin.of_parent(key)} FOR NO KEY UPDATE NOWAIT;
    ELSE
        SELECT {idents(kin.names)} INTO held FROM {parent}
        WHERE {kin.of_parent(key)} FOR NO KEY UPDATE SKIP LOCKED;
    END IF;
{create}
    SELECT {idents(kin.names)} INTO common FROM {child}
    WHERE {kin.of_child(key)} ORDER BY {child_key} LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    IF EXISTS (SELECT FROM {child}
               WHERE {kin.of_child(key)} AND {kin.row()} IS DISTINCT FROM {kin.row("common.")}) THEN
{_disagree(kin, f"concat_ws(', ', {', '.join(key)})", "        ")}
    END IF;
    IF {kin.row("held.")} IS DISTINCT FROM {kin.row("common.")} THEN
        {kin.following(on=True)}
        UPDATE {parent} SET {assigned} WHERE {kin.of_parent(key)};
        {kin.following(on=False)}
    END IF;
END LOOP;"""
    types = f"{kin.child_key_type}, {kin.child_key_type}, boolean"
    return plain_function(
        kin.beside("gather"), types, body, ["group_of record", "held record", "common record"]
    )


def disagreement(kin: Kinship) -> str:
    """Raise for the first group whose children disagree."""
    key = ", ".join(kin.references())
    return f"""\
DO $block$
#variable_conflict use_column
DECLARE
    strays text;
BEGIN
    SELECT concat_ws(', ', {key}) INTO strays
    FROM (SELECT DISTINCT {key}, {idents(kin.names)} FROM {relation(kin.child)}) AS kinds
    GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1;
    IF FOUND THEN
{_disagree(kin, "strays", "        ")}
    END IF;
END
$block$;"""


def _disagree(kin: Kinship, key: str, indent: str) -> str:
    names = ", ".join(kin.names)
    message = f"{kin.change}: rows of {kin.child.name} differ in {names}".replace("%", "%%")
    where = ", ".join(column.name for column in kin.reference).replace("%", "%%")
    message += f", though {where} is %s in all of them"
    return (
        f"{indent}RAISE data_exception USING\n"
        f"{indent}    MESSAGE = format({literal(message)}, {key}),\n"
        f"{indent}    HINT = 'Give them the same values, then run the migration again.';"
    )
