"""ALTER TABLE … ALTER COLUMN: what a column is, and what it may hold."""

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.constraints import set_columns
from toolchain.spec.schema.dropping_relations import drop_owned
from toolchain.spec.schema.state import State
from toolchain.spec.schema.tables import default_of, own_sequence
from toolchain.spec.schema.text import Node, expression_of, printed, type_text


def alter_column(state: State, table: RelationName, command: Node, *, down: bool) -> None:
    """Follow one command about a column; a command about anything else changes nothing.

    `down` says whether the tables that inherit from this one follow, where they may stay behind.
    """
    name, definition = command.name, command.def_
    match command.subtype.name:
        case "AT_AlterColumnType":
            collation = definition.collClause
            text = printed(collation).removeprefix("COLLATE ") if collation else None
            changed: dict[str, object] = {"type": type_text(definition.typeName), "collation": text}
            set_columns(state, table, {name: changed})
        case "AT_ColumnDefault":
            default = None if definition is None else default_of(state, definition)
            set_columns(state, table, {name: {"default": default}}, down=down)
        case "AT_SetNotNull":
            set_columns(state, table, {name: {"not_null": True}}, down=down)
        case "AT_DropNotNull":
            set_columns(state, table, {name: {"not_null": False}}, down=down)
        case "AT_SetExpression":
            set_columns(state, table, {name: {"generated": expression_of(definition)}})
        case "AT_DropExpression":
            set_columns(state, table, {name: {"generated": None}}, down=down)
        case "AT_AddIdentity":
            own_sequence(state, table, name, definition.options)
            identity = _identity(definition.generated_when)
            set_columns(state, table, {name: {"identity": identity, "not_null": True}})
        case "AT_SetIdentity":
            for option in definition or ():
                if option.defname == "generated":
                    identity = _identity(chr(option.arg.ival))
                    set_columns(state, table, {name: {"identity": identity}})
        case "AT_DropIdentity":
            drop_owned(state, table, name)
            set_columns(state, table, {name: {"identity": None}})


def _identity(when: str) -> str:
    return "always" if when == "a" else "by default"
