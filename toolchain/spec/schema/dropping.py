"""DROP, of anything."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.dropping_parts import drop_column, forget_reading
from toolchain.spec.schema.dropping_relations import drop_relation
from toolchain.spec.schema.functions import drop_function
from toolchain.spec.schema.state import State
from toolchain.spec.schema.swap import without
from toolchain.spec.schema.text import Node, strings

_RELATIONS = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE")


def drop(state: State, node: Node) -> None:
    """Follow DROP of anything; what is not known is not missed."""
    cascade = node.behavior.name == "DROP_CASCADE"
    what = node.removeType.name
    for each in node.objects:
        if what in _RELATIONS:
            drop_relation(state, state.found(strings(each)), cascade=cascade)
        elif what in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
            _drop_type(state, state.found(strings(each.names)), cascade=cascade)
        elif what in ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"):
            *table, name = strings(each)
            drop_from_table(state, state.found(tuple(table)), what, name)
        elif what in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"):
            drop_function(state, each)
            if cascade:
                _drop_callers(state, strings(each.objname))
        elif what == "OBJECT_PUBLICATION":
            state.publications.pop(each.sval, None)
        elif what == "OBJECT_SCHEMA":
            _drop_schema(state, each.sval)


def _drop_schema(state: State, schema: str) -> None:
    for name in sorted(set(state.names())):
        if name.schema == schema:
            drop_relation(state, name, cascade=True)
            _drop_type(state, name, cascade=True)
    for signature in [each for each in state.functions if each[0].schema == schema]:
        del state.functions[signature]
    for publication, each in state.publications.items():
        state.publications[publication] = replace(each, schemas=each.schemas - {schema})


def drop_from_table(state: State, table: RelationName, what: str, name: str) -> None:
    """A trigger, a policy or a rule; those of a view are not known."""
    if table not in state.tables:
        return
    shape = state.shape(table)
    forget_reading(state, table, what.removeprefix("OBJECT_").lower(), name)
    match what:
        case "OBJECT_TRIGGER":
            state.reshape(replace(shape, triggers=without(shape.triggers, name)))
        case "OBJECT_POLICY":
            kept = tuple(each for each in shape.policies if each != name)
            state.reshape(replace(shape, policies=kept))
        case "OBJECT_RULE":
            kept = tuple(each for each in shape.rules if each != name)
            state.reshape(replace(shape, rules=kept))


def _drop_type(state: State, name: RelationName, *, cascade: bool) -> None:
    state.enums.pop(name, None)
    state.types.pop(name, None)
    if not cascade:
        return
    written = {relation(name), ident(name.name)} if name.schema in state.path else {relation(name)}
    for table, known in list(state.tables.items()):
        for column in known.shape.columns:
            if column.type.removesuffix("[]") in written:
                drop_column(state, table, column.name, cascade=True)


def _drop_callers(state: State, names: tuple[str, ...]) -> None:
    function = relation(state.found(names))
    for name, table in list(state.tables.items()):
        for trigger in table.shape.triggers:
            if trigger.function == function:
                drop_from_table(state, name, "OBJECT_TRIGGER", trigger.name)
