"""CREATE and DROP of functions, and of types that are no enums: their names, and what they need."""

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.queries import columns_read
from toolchain.spec.schema.state import Function, Signature, State
from toolchain.spec.schema.text import Node, printed, strings, type_text

_GOES_OUT = ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")


def create_function(state: State, node: Node) -> None:
    """Follow CREATE FUNCTION and PROCEDURE; only an SQL-standard body binds what it reads."""
    reads = columns_read(state, node.sql_body)
    state.functions[signature_of(state, node)] = Function(reads=reads)


def signature_of(state: State, node: Node) -> Signature:
    """The name of the function that a statement creates, with the types of what goes into it."""
    types = (
        type_text(each.argType) for each in node.parameters or () if each.mode.name not in _GOES_OUT
    )
    return _placed(state, node.funcname), tuple(types)


def drop_function(state: State, node: Node) -> None:
    """Follow DROP FUNCTION, which may leave the types out where one alone has the name."""
    name = _found(state, strings(node.objname))
    for signature in [each for each in state.functions if each[0] == name]:
        types = tuple(map(type_text, node.objargs or ()))
        if node.args_unspecified or signature[1] == types:
            del state.functions[signature]


def create_domain(state: State, node: Node) -> None:
    """Follow CREATE DOMAIN."""
    defaults = (
        printed(each.raw_expr)
        for each in node.constraints or ()
        if each.contype.name == "CONSTR_DEFAULT"
    )
    state.types[_placed(state, node.domainname)] = next(defaults, None)


def alter_domain(state: State, node: Node) -> None:
    """Follow ALTER DOMAIN, of which only SET and DROP DEFAULT matter."""
    name = state.found(strings(node.typeName))
    if name in state.types and node.subtype == "T":
        state.types[name] = None if node.def_ is None else printed(node.def_)


def create_composite(state: State, node: Node) -> None:
    """Follow CREATE TYPE … AS (…)."""
    state.types[state.made_by(node.typevar)] = None


def create_range(state: State, node: Node) -> None:
    """Follow CREATE TYPE … AS RANGE."""
    state.types[_placed(state, node.typeName)] = None


def _placed(state: State, names: Node) -> RelationName:
    *schema, name = strings(names)
    return RelationName(schema[-1] if schema else state.path[0], name)


def _found(state: State, names: tuple[str, ...]) -> RelationName:
    if len(names) > 1:
        return RelationName(names[-2], names[-1])
    known = {name for name, _ in state.functions}
    places = (RelationName(schema, names[-1]) for schema in state.path)
    return next(
        (place for place in places if place in known), RelationName(state.path[0], names[-1])
    )
