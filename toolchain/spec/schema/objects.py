"""CREATE and ALTER of what is no table: views, triggers, policies, rules, sequences, enums."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import TableSchema, Trigger
from toolchain.refactor.sql import relation
from toolchain.spec.schema.queries import columns_read, named_result
from toolchain.spec.schema.state import Reading, State, Table, View
from toolchain.spec.schema.text import Node, columns_of, strings

# The bits of pg_trigger.tgtype.
_EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
_TIMINGS = {0: "after", 2: "before", 64: "instead of"}


def create_view(state: State, node: Node) -> None:
    """Follow CREATE VIEW."""
    _put_view(state, state.made_by(node.view), node.query, node.aliases)


def create_from_query(state: State, node: Node) -> None:
    """Follow CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW."""
    into = node.into
    name = state.made_by(into.rel)
    if node.if_not_exists and name in set(state.names()):
        return
    if node.objtype.name == "OBJECT_MATVIEW":
        _put_view(state, name, node.query, into.colNames)
    else:
        _put_table(state, name, node.query, into.colNames)


def select_into(state: State, node: Node) -> None:
    """Follow a SELECT that makes a table; others change nothing."""
    if node.intoClause is not None:
        _put_table(state, state.made_by(node.intoClause.rel), node, None)


def _put_view(state: State, name: RelationName, query: Node, names: Node) -> None:
    columns = named_result(state, query, names)
    state.views[name] = View(columns=columns, reads=columns_read(state, query))


def _put_table(state: State, name: RelationName, query: Node, names: Node) -> None:
    columns = named_result(state, query, names)
    state.tables[name] = Table(shape=TableSchema(name=name, columns=columns))


def create_trigger(state: State, node: Node) -> None:
    """Follow CREATE TRIGGER on a table; with OR REPLACE it may be there already."""
    table = state.found_by(node.relation)
    trigger = Trigger(
        name=node.trigname,
        timing=_TIMINGS[node.timing],
        events=frozenset(word for bit, word in _EVENTS.items() if node.events & bit),
        each_row=node.row,
        columns=strings(node.columns),
        function=relation(state.found(strings(node.funcname))),
    )
    shape = state.shape(table)
    others = tuple(each for each in shape.triggers if each.name != trigger.name)
    state.reshape(replace(shape, triggers=(*others, trigger)))
    _put_reading(state, table, "trigger", trigger.name, columns_of(node.whenClause))


def create_policy(state: State, node: Node) -> None:
    """Follow CREATE POLICY."""
    table, name = state.found_by(node.table), node.policy_name
    shape = state.shape(table)
    state.reshape(replace(shape, policies=(*shape.policies, name)))
    _put_reading(state, table, "policy", name, columns_of((node.qual, node.with_check)))


def create_rule(state: State, node: Node) -> None:
    """Follow CREATE RULE; with OR REPLACE it may be there already."""
    table, name = state.found_by(node.relation), node.rulename
    shape = state.shape(table)
    others = tuple(each for each in shape.rules if each != name)
    state.reshape(replace(shape, rules=(*others, name)))
    _put_reading(state, table, "rule", name, columns_of((node.whereClause, node.actions)))


def _put_reading(
    state: State, table: RelationName, kind: str, name: str, columns: frozenset[str]
) -> None:
    known = state.tables.get(table)
    if known is not None:
        others = (each for each in known.readings if (each.kind, each.name) != (kind, name))
        reading = Reading(kind=kind, name=name, columns=columns)
        state.tables[table] = replace(known, readings=(*others, reading))


def create_sequence(state: State, node: Node) -> None:
    """Follow CREATE SEQUENCE."""
    name = state.made_by(node.sequence)
    if name not in state.sequences:
        state.sequences[name] = None
        _own(state, name, node)


def alter_sequence(state: State, node: Node) -> None:
    """Follow ALTER SEQUENCE, of which only the owner matters."""
    name = state.found_by(node.sequence)
    if name in state.sequences:
        _own(state, name, node)


def _own(state: State, sequence: RelationName, node: Node) -> None:
    for option in node.options or ():
        if option.defname == "owned_by":
            *table, column = strings(option.arg)
            state.sequences[sequence] = (state.found(tuple(table)), column) if table else None


def create_enum(state: State, node: Node) -> None:
    """Follow CREATE TYPE … AS ENUM."""
    names = strings(node.typeName)
    schema = names[-2] if len(names) > 1 else state.path[0]
    state.enums[RelationName(schema, names[-1])] = strings(node.vals)


def alter_enum(state: State, node: Node) -> None:
    """Follow ALTER TYPE … ADD VALUE and RENAME VALUE."""
    name = state.found(strings(node.typeName))
    labels = list(state.enums.get(name, ()))
    if name not in state.enums:
        return
    if node.oldVal is not None:
        labels = [node.newVal if label == node.oldVal else label for label in labels]
    elif node.newVal not in labels:
        place = len(labels)
        if node.newValNeighbor in labels:
            place = labels.index(node.newValNeighbor) + bool(node.newValIsAfter)
        labels.insert(place, node.newVal)
    state.enums[name] = tuple(labels)
