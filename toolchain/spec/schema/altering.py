"""ALTER TABLE, one command after the other."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.constraints import add_constraints, constraints_at, set_columns
from toolchain.spec.schema.dropping_parts import drop_column, drop_constraint
from toolchain.spec.schema.dropping_relations import drop_owned
from toolchain.spec.schema.moving import move, move_function
from toolchain.spec.schema.state import State
from toolchain.spec.schema.tables import add_column, default_of, own_sequence
from toolchain.spec.schema.text import Node, expression_of, kind, printed, strings, type_text


def alter_table(state: State, node: Node) -> None:
    """Follow ALTER TABLE of a table that is known; other relations have nothing to follow."""
    table = state.found_by(node.relation)
    if table not in state.tables:
        return
    for command in sorted(node.cmds, key=_turn):
        if command.subtype.name.startswith("AT_AddColumn"):
            _add_column(state, table, command)
        else:
            _alter(state, table, command, down=node.relation.inh)


# PostgreSQL takes the commands of one ALTER TABLE in this order, whatever theirs is.
_PASSES = ("AT_DropColumn", "AT_DropConstraint", "AT_AlterColumnType", "AT_AddColumn")


def _turn(command: Node) -> int:
    name = command.subtype.name
    return _PASSES.index(name) if name in _PASSES else len(_PASSES)


def _add_column(state: State, table: RelationName, command: Node) -> None:
    definition = command.def_
    if all(each.name != definition.colname for each in state.columns(table)):
        add_column(state, table, definition)
        add_constraints(state, table, constraints_at(definition), empty=True)


def _alter(state: State, table: RelationName, command: Node, *, down: bool) -> None:
    name, definition = command.name, command.def_
    cascade = command.behavior.name == "DROP_CASCADE"
    match command.subtype.name:
        case "AT_DropColumn":
            drop_column(state, table, name, cascade=cascade)
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
        case "AT_AddConstraint" if definition.contype.name == "CONSTR_NOTNULL":
            _add_not_null(state, table, definition)
        case "AT_AddConstraint":
            add_constraints(state, table, [(definition, None)])
        case "AT_ValidateConstraint":
            _validate(state, table, name)
        case "AT_AlterConstraint":
            _alter_constraint(state, table, definition)
        case "AT_DropConstraint":
            drop_constraint(state, table, name, cascade=cascade)
        case "AT_EnableRowSecurity" | "AT_DisableRowSecurity":
            enabled = command.subtype.name == "AT_EnableRowSecurity"
            state.reshape(replace(state.shape(table), row_security=enabled))
        case "AT_ForceRowSecurity" | "AT_NoForceRowSecurity":
            forced = command.subtype.name == "AT_ForceRowSecurity"
            state.reshape(replace(state.shape(table), row_security_forced=forced))
        case "AT_SetLogged" | "AT_SetUnLogged":
            unlogged = command.subtype.name == "AT_SetUnLogged"
            state.reshape(replace(state.shape(table), unlogged=unlogged))
        case "AT_AttachPartition":
            _set_parent(state, state.found_by(definition.name), table, joined=True)
        case "AT_DetachPartition":
            _set_parent(state, state.found_by(definition.name), table, joined=False)
        case "AT_AddInherit" | "AT_DropInherit":
            joined = command.subtype.name == "AT_AddInherit"
            _set_parent(state, table, state.found_by(definition), joined=joined)


def _identity(when: str) -> str:
    return "always" if when == "a" else "by default"


def _add_not_null(state: State, table: RelationName, node: Node) -> None:
    """NOT NULL … NOT VALID of PostgreSQL 18 binds new rows, and says nothing of the old ones."""
    (column,) = strings(node.keys)
    known = state.tables[table]
    name = node.conname or f"{table.name}_{column}_not_null"
    state.tables[table] = replace(known, required={**known.required, name: column})
    if not node.skip_validation:
        set_columns(state, table, {column: {"not_null": True}})


def _validate(state: State, table: RelationName, name: str) -> None:
    shape = state.shape(table)
    checks = (replace(c, valid=True) if c.name == name else c for c in shape.checks)
    foreign = (replace(f, valid=True) if f.name == name else f for f in shape.foreign_keys)
    state.reshape(replace(shape, checks=tuple(checks), foreign_keys=tuple(foreign)))
    column = state.tables[table].required.get(name)
    if column is not None:
        set_columns(state, table, {column: {"not_null": True}})
    for child in state.children(table):
        _validate(state, child, name)


def _alter_constraint(state: State, table: RelationName, node: Node) -> None:
    """ALTER CONSTRAINT makes a foreign key deferrable or not; a bare one says not deferrable."""
    shape = state.shape(table)
    deferrable = node.deferrable or node.initdeferred
    # pglast before 8 says so of every ALTER CONSTRAINT, as PostgreSQL 17 does.
    if not getattr(node, "alterDeferrability", True):
        return
    foreign = (
        replace(each, deferrable=deferrable, deferred=node.initdeferred)
        if each.name == node.conname
        else each
        for each in shape.foreign_keys
    )
    state.reshape(replace(shape, foreign_keys=tuple(foreign)))


def _set_parent(state: State, child: RelationName, parent: RelationName, *, joined: bool) -> None:
    known = state.tables.get(child)
    if known is not None:
        others = tuple(each for each in known.parents if each != parent)
        parents = (*others, parent) if joined else others
        state.tables[child] = replace(known, parents=parents)


def set_schema(state: State, node: Node) -> None:
    """Follow ALTER … SET SCHEMA of a relation, a type or a function."""
    if kind(node.object) == "ObjectWithArgs":
        function = state.found(strings(node.object.objname))
        move_function(state, function, RelationName(node.newschema, function.name))
        return
    if node.relation is not None:
        name = state.found_by(node.relation)
    elif kind(node.object) == "TypeName":
        name = state.found(strings(node.object.names))
    elif isinstance(node.object, tuple) and strings(node.object):
        name = state.found(strings(node.object))
    else:
        return
    if name in set(state.names()):
        move(state, name, RelationName(node.newschema, name.name))
