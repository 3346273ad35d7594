"""The functions that keep the rows of a group equal to what their group has in common.

A row of the parent and all children that refer to it are one group, so writers of different rows
write the same thing, and no order of locks suits them all: an old server holds a child when it
turns out that the parent changes, a new one holds the parent and needs the children, and either may
go on to other groups. So none of the triggers here waits for anybody:

* What is written to one form reaches the other at the end of the transaction, by deferred triggers.
  No server has a statement left then that could wait for another while it holds rows of this.
* They take the group's advisory lock, the parent and each child that differs, all of them if they
  are free and none otherwise: then the transaction fails with 40001 (serialization_failure), and
  may be tried again. Nothing was written, so nothing is lost; nobody waited, so nobody deadlocks.
* Two writers of one group hold a row of it each, so the first to end finds the row of the other:
  neither can write over what the other has not seen.
* A row that comes to a group holds the group's advisory lock, shared, to the end of its
  transaction: whoever changes the group meanwhile would not see that row, and fails.

The price: a transaction that changes a moved column may fail with 40001, at its end, while others
write rows of the same group, whatever columns they write, or in the same moment insert a row into a
group that shares its advisory lock. Above READ COMMITTED it is refused, because such a transaction
does not see all children.
"""

from toolchain.model.relation_name import RelationName
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.sql import ident, idents, literal, relation, trigger_function

_QUIET = "SET search_path = pg_catalog, pg_temp\nSET row_security = off"


def idle(kin: Kinship, *, replace: bool = False) -> tuple[str, ...]:
    """The trigger functions while the old form is the only one."""
    return (
        trigger_function(kin.beside("fill"), "RETURN NEW;", replace=replace),
        trigger_function(kin.beside("tell"), "RETURN NULL;", replace=replace),
        trigger_function(kin.beside("hear"), "RETURN NULL;", replace=replace),
    )


def active(kin: Kinship) -> tuple[str, ...]:
    """The trigger functions from the begin of the migration to the contract."""
    return (
        trigger_function(
            kin.beside("fill"),
            _fill(kin),
            ["group_values record", "is_there boolean"],
            replace=True,
        ),
        trigger_function(
            kin.beside("tell"),
            _tell(kin),
            ["group_values record", "is_there boolean"],
            replace=True,
        ),
        trigger_function(kin.beside("hear"), _hear(kin), replace=True),
    )


def settle(kin: Kinship) -> str:
    """One value for the whole group; the arguments are its key and the values."""
    count = len(kin.reference)
    key = [f"${number + 1}" for number in range(count)]
    values = [f"${number + 1 + count}" for number in range(len(kin.columns))]
    parent, child = relation(kin.parent), relation(kin.child)
    assigned = ", ".join(
        f"{ident(name)} = {value}" for name, value in zip(kin.names, values, strict=True)
    )
    given = f"ROW({', '.join(values)})"
    missing = "    RETURN;"
    if kin.keyed:
        columns = idents((*kin.identity, *kin.names))
        missing = f"""\
    INSERT INTO {parent} ({columns}) VALUES ({", ".join((*key, *values))})
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE lock_not_available;
    END IF;"""
    differs = f"{kin.row()} IS DISTINCT FROM {given}"
    hint = f"{kin.change} has not ended, and such a transaction does not see all rows."
    body = f"""\
IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE feature_not_supported USING
        MESSAGE = {literal(f"{', '.join(kin.names)} cannot be changed above READ COMMITTED yet")},
        HINT = {literal(hint)};
END IF;
IF NOT {kin.lock(key, shared=False)} THEN
    RAISE lock_not_available;
END IF;
SELECT {differs} INTO changed
FROM {parent} WHERE {kin.of_parent(key)}
FOR NO KEY UPDATE NOWAIT;
there := FOUND;
PERFORM FROM {child}
WHERE {kin.of_child(key)} AND {differs}
ORDER BY {ident(kin.child_key)}
FOR NO KEY UPDATE NOWAIT;
{kin.following(on=True)}
IF NOT there THEN
{missing}
ELSIF changed THEN
    UPDATE {parent} SET {assigned} WHERE {kin.of_parent(key)};
END IF;
UPDATE {child} SET {assigned} WHERE {kin.of_child(key)} AND {differs};
{kin.following(on=False)}"""
    if not kin.keyed:
        body = body.replace(
            f"{kin.following(on=True)}\nIF NOT there THEN\n{missing}\nELSIF changed",
            f"IF NOT there THEN\n{missing}\nEND IF;\n{kin.following(on=True)}\nIF changed",
        )
    types = ", ".join(column.type for column in (*kin.reference, *kin.columns))
    guarded = f"{body}\nEXCEPTION WHEN lock_not_available THEN\n{_again(kin, '    ')}"
    return plain_function(
        kin.beside("settle"), types, guarded, ["changed boolean", "there boolean"], "1ms"
    )


def signatures(kin: Kinship) -> tuple[str, ...]:
    """All functions, as DROP FUNCTION wants them."""
    types = ", ".join(column.type for column in (*kin.reference, *kin.columns))
    found = [f"{relation(kin.beside(what))}()" for what in ("fill", "tell", "hear")]
    found.append(f"{relation(kin.beside('settle'))}({types})")
    key = kin.child_key_type
    found.append(f"{relation(kin.beside('gather'))}({key}, {key}, boolean)")
    return tuple(found)


def plain_function(
    name: RelationName, types: str, body: str, declare: list[str], lock_timeout: str | None = None
) -> str:
    """A function of no result that has the rights of whoever calls it."""
    timeout = f"\nSET lock_timeout = '{lock_timeout}'" if lock_timeout else ""
    variables = "\n".join(f"    {line};" for line in declare)
    inner = "\n".join(f"    {line}" if line else "" for line in body.split("\n"))
    return (
        f"CREATE FUNCTION {relation(name)}({types}) RETURNS void\n"
        f"LANGUAGE plpgsql\n{_QUIET}{timeout}\nAS $function$\n#variable_conflict use_column\n"
        f"DECLARE\n{variables}\nBEGIN\n{inner}\nEND\n$function$;"
    )


def _again(kin: Kinship, indent: str = "    ") -> str:
    message = f"{kin.change}: others write rows of the same {kin.parent.name}"
    return (
        f"{indent}RAISE serialization_failure USING\n"
        f"{indent}    MESSAGE = {literal(message)}, HINT = 'Try the transaction again.';"
    )


def _share(kin: Kinship) -> str:
    """Hold the group as it is; a snapshot from before its last change is refused by PostgreSQL."""
    key = kin.references("NEW.")
    return f"""\
IF NOT {kin.lock(key, shared=True)} THEN
{_again(kin)}
END IF;
IF current_setting('transaction_isolation') <> 'read committed' THEN
    BEGIN
        PERFORM FROM {relation(kin.parent)} WHERE {kin.of_parent(key)} FOR SHARE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
    {_again(kin).replace(chr(10), chr(10) + "    ")}
    END;
END IF;
SELECT {idents(kin.names)} INTO group_values
FROM {relation(kin.parent)} WHERE {kin.of_parent(key)};"""


def _fill(kin: Kinship) -> str:
    """A row that comes to a group holds it, and where its server gives no values, takes them.

    A new row is not visible to those who change its group, so only the lock can tell them of it.
    """
    changes = f"{kin.row('OLD.')} IS DISTINCT FROM {kin.row('NEW.')}"
    assigned = "\n".join(f"NEW.{ident(name)} := group_values.{ident(name)};" for name in kin.names)
    return f"""\
{_share(kin)}
is_there := FOUND;
IF TG_OP = 'INSERT' AND NOT ({kin.nothing("NEW.")}) OR TG_OP = 'UPDATE' AND {changes} THEN
    RETURN NEW;
ELSIF NOT is_there OR {kin.nothing("group_values.")} THEN
    -- Before the migration has come to the group, its children alone have the values.
    SELECT {idents(kin.names)} INTO group_values FROM {relation(kin.child)}
    WHERE {kin.of_child(kin.references("NEW."))} LIMIT 1;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
END IF;
{assigned}
RETURN NEW;"""


def _tell(kin: Kinship) -> str:
    """What was written to a child holds for its group."""
    key = kin.references("NEW.")
    settle_name = relation(kin.beside("settle"))
    silent = f"TG_OP = 'INSERT' AND {kin.nothing('NEW.')}"
    return f"""\
{_share(kin)}
is_there := FOUND;
IF is_there AND {kin.row("group_values.")} IS NOT DISTINCT FROM {kin.row("NEW.")}
   AND (TG_OP = 'INSERT' OR NOT ({kin.nothing("NEW.")})) THEN
    RETURN NULL;
ELSIF is_there AND {silent} THEN
    PERFORM {settle_name}({", ".join(key)}, {idents(kin.names, "group_values.")});
ELSIF is_there OR EXISTS (SELECT FROM {relation(kin.child)} WHERE {kin.of_child(key)}) THEN
    PERFORM {settle_name}({", ".join(key)}, {idents(kin.names, "NEW.")});
END IF;
RETURN NULL;"""


def _hear(kin: Kinship) -> str:
    """What was written to a parent holds for its children."""
    key = tuple(f"NEW.{ident(name)}" for name in kin.identity)
    return f"""\
IF EXISTS (SELECT FROM {relation(kin.parent)} WHERE {kin.of_parent(key)}) THEN
    PERFORM {relation(kin.beside("settle"))}({", ".join(key)}, {idents(kin.names, "NEW.")});
END IF;
RETURN NULL;"""
