"""Moved columns that may not be NULL: the table asks for them at the end of the transaction."""

from toolchain.model.relation_name import RelationName
from toolchain.refactor.split.layout import PartLayout
from toolchain.refactor.sql import comment, ident, literal, named, relation, trigger_function


def defer(part: PartLayout) -> str:
    """Let a row be inserted before its part, and no later than its transaction ends."""
    if not part.required:
        return ""
    name, columns, source = _called(part), part.required, part.source
    missing = _missing(part, "")
    same = " AND ".join(f"{ident(key)} = NEW.{ident(key)}" for key in part.key)
    hint = f"Until the contract, insert the part {part.table.name} in the same transaction."
    body = f"""\
IF EXISTS (SELECT FROM {relation(source)} WHERE {same} AND ({missing})) THEN
    RAISE not_null_violation USING
        MESSAGE = {literal(f"{source.name}: a row without {', '.join(columns)}")},
        HINT = {literal(hint)},
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
END IF;
RETURN NULL;"""
    return (
        comment(
            f"A server of the new form inserts the row of {source.name} first and its part then,"
            " so NOT NULL is asked for at the end of the transaction. Servers of the old form"
            " never see a NULL there, and the undo finds none."
        )
        + f"\nALTER TABLE {relation(source)}\n{_alter(part, 'DROP')};\n\n"
        + trigger_function(name, body)
        + f"\n\nCREATE CONSTRAINT TRIGGER {ident(name.name)}\n"
        f"    AFTER INSERT OR UPDATE ON {relation(source)}\n"
        "    DEFERRABLE INITIALLY DEFERRED\n"
        f"    FOR EACH ROW WHEN ({_missing(part, 'NEW.')})\n"
        f"    EXECUTE FUNCTION {relation(name)}();"
    )


def release(part: PartLayout) -> str:
    """Take the trigger away, before the columns go or NOT NULL comes back."""
    if not part.required:
        return ""
    name = _called(part)
    return (
        f"DROP TRIGGER {ident(name.name)} ON {relation(part.source)};\n"
        f"DROP FUNCTION {relation(name)}();"
    )


def restore(part: PartLayout) -> str:
    """Bring NOT NULL back: every transaction has left a value."""
    if not part.required:
        return ""
    return f"ALTER TABLE {relation(part.source)}\n{_alter(part, 'SET')};"


def _called(part: PartLayout) -> RelationName:
    return part.table.beside(named(part.table.name, "required"))


def _missing(part: PartLayout, before: str) -> str:
    return " OR ".join(f"{before}{ident(name)} IS NULL" for name in part.required)


def _alter(part: PartLayout, verb: str) -> str:
    return ",\n".join(f"    ALTER COLUMN {ident(name)} {verb} NOT NULL" for name in part.required)
