"""The triggers of a move; those that reach for other rows wait for the end of the transaction."""

from toolchain.model.relation_name import RelationName
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.sql import (
    ident,
    idents,
    literal,
    relation,
    script,
    trigger,
    trigger_function,
)


def create(kin: Kinship) -> str:
    """All triggers; before the migration begins their functions do nothing."""
    moves = _distinct(kin.references("OLD."), kin.references("NEW."))
    changes = f"{kin.row('OLD.')} IS DISTINCT FROM {kin.row('NEW.')}"
    names = [ident(name) for name in kin.identity]
    other_key = _distinct([f"OLD.{name}" for name in names], [f"NEW.{name}" for name in names])
    fill, tell, hear = kin.beside("fill"), kin.beside("tell"), kin.beside("hear")
    return script(
        trigger(
            kin.beside("fill_insert").name,
            "BEFORE INSERT",
            kin.child,
            fill,
        ),
        trigger(
            kin.beside("fill_update").name,
            "BEFORE UPDATE",
            kin.child,
            fill,
            moves,
        ),
        _deferred(kin.beside("tell_insert").name, "INSERT", kin.child, tell, kin.own()),
        _deferred(
            kin.beside("tell_update").name,
            "UPDATE",
            kin.child,
            tell,
            f"{kin.own()}\n          AND ({changes} OR {moves})",
        ),
        _deferred(
            kin.beside("hear").name,
            "UPDATE",
            kin.parent,
            hear,
            f"{kin.own()}\n          AND ({changes} OR {other_key})",
        ),
    )


def drop(kin: Kinship) -> str:
    """Take all triggers away, first those of the parent: so servers lock, too."""
    places = {"hear": kin.parent, "fill_insert": kin.child, "fill_update": kin.child}
    places |= {"tell_insert": kin.child, "tell_update": kin.child}
    return "\n".join(
        f"DROP TRIGGER {ident(kin.beside(what).name)} ON {relation(table)};"
        for what, table in places.items()
    )


def guard(kin: Kinship) -> str:
    """Refuse to take a part away from rows that need it: its foreign key comes at the contract."""
    name, emptied = kin.beside("guard"), kin.beside("guard_truncate")
    key = tuple(f"OLD.{ident(name)}" for name in kin.identity)
    message = f"{kin.parent.name}: rows of {kin.child.name} refer to this one"
    body = f"""\
IF NOT {kin.lock(key, shared=False)} THEN
    RAISE serialization_failure USING
        MESSAGE = {literal(f"{kin.change}: others write rows of the same {kin.parent.name}")},
        HINT = 'Try the transaction again.';
ELSIF EXISTS (SELECT FROM {relation(kin.child)} WHERE {kin.of_child(key)}) THEN
    RAISE foreign_key_violation USING MESSAGE = {literal(message)};
END IF;
IF TG_OP = 'DELETE' THEN
    RETURN OLD;
END IF;
RETURN NEW;"""
    truncate = f"""\
IF EXISTS (SELECT FROM {relation(kin.child)}) THEN
    RAISE foreign_key_violation USING MESSAGE = {literal(message)};
END IF;
RETURN NULL;"""
    return script(
        trigger_function(name, body),
        trigger(
            name.name,
            f"BEFORE DELETE OR UPDATE OF {idents(kin.identity)}",
            kin.parent,
            name,
        ),
        trigger_function(emptied, truncate),
        f"CREATE TRIGGER {ident(emptied.name)}\n"
        f"    BEFORE TRUNCATE ON {relation(kin.parent)}\n"
        "    FOR EACH STATEMENT\n"
        f"    EXECUTE FUNCTION {relation(emptied)}();",
    )


def drop_guard(kin: Kinship) -> str:
    """Take the guard away; the foreign key does its work."""
    names = [kin.beside(what) for what in ("guard", "guard_truncate")]
    lines = [f"DROP TRIGGER {ident(name.name)} ON {relation(kin.parent)};" for name in names]
    return "\n".join([*lines, f"DROP FUNCTION {', '.join(f'{relation(n)}()' for n in names)};"])


def _distinct(one: "tuple[str, ...] | list[str]", other: "tuple[str, ...] | list[str]") -> str:
    return f"ROW({', '.join(one)}) IS DISTINCT FROM ROW({', '.join(other)})"


def _deferred(
    name: str, event: str, on: RelationName, function: RelationName, condition: str
) -> str:
    return (
        f"CREATE CONSTRAINT TRIGGER {ident(name)}\n"
        f"    AFTER {event} ON {relation(on)}\n"
        "    DEFERRABLE INITIALLY DEFERRED\n"
        f"    FOR EACH ROW\n    WHEN ({condition})\n"
        f"    EXECUTE FUNCTION {relation(function)}();"
    )
