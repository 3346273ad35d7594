"""CREATE TABLE: columns, what LIKE copies, what is inherited, then the constraints."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, TableSchema
from toolchain.spec.schema.constraints import add_constraints, constraints_at, require
from toolchain.spec.schema.indexes import add_index, parsed_index
from toolchain.spec.schema.naming import free_name
from toolchain.spec.schema.state import State, Table, named_sequence, next_value
from toolchain.spec.schema.text import (
    SERIAL,
    Node,
    expression_of,
    kind,
    printed,
    strings,
    type_text,
)

# TableLikeOption
_CONSTRAINTS, _DEFAULTS, _GENERATED, _IDENTITY, _INDEXES = 4, 8, 16, 32, 64


def create_table(state: State, node: Node) -> None:
    """Follow CREATE TABLE; the columns of CREATE TABLE … OF a type are not known."""
    name = state.made_by(node.relation)
    if node.ofTypename is not None or (node.if_not_exists and name in set(state.names())):
        return
    parents = tuple(state.found_by(parent) for parent in node.inhRelations or ())
    state.tables[name] = Table(
        shape=TableSchema(name=name, unlogged=node.relation.relpersistence == "u"),
        parents=parents,
        partitioned=node.partspec is not None,
    )
    for parent in parents:
        for column in state.columns(parent):
            # An identity is its own table's alone, except that partitions share it.
            _put(state, name, column if node.partbound else replace(column, identity=None))
    constraints: list[tuple[Node, str | None]] = []
    likes: list[Node] = []
    for element in node.tableElts or ():
        match kind(element):
            case "ColumnDef":
                add_column(state, name, element)
                constraints += constraints_at(element)
            case "Constraint":
                constraints.append((element, None))
                if element.contype.name == "CONSTR_NOTNULL":
                    _note_required(state, name, element, strings(element.keys)[0])
            case "TableLikeClause":
                likes.append(element)
                _copy_columns(state, name, element)
    for parent in parents:
        _copy_checks(state, name, parent)
    for like in likes:
        if like.options & _CONSTRAINTS:
            _copy_checks(state, name, state.found_by(like.relation))
    add_constraints(state, name, constraints, empty=True)
    for like in likes:
        if like.options & _INDEXES:
            _copy_indexes(state, name, state.found_by(like.relation))


def add_column(state: State, table: RelationName, node: Node) -> None:
    """Give a table a column, with its sequence where it has one; its keys and checks come later."""
    name, type_name = node.colname, node.typeName
    column = next((each for each in state.columns(table) if each.name == name), None)
    if type_name is not None:
        written = strings(type_name.names)[-1]
        column = Column(
            name=name,
            type=SERIAL.get(written) or type_text(type_name),
            collation=_collation(node),
            not_null=bool(column and column.not_null),
            default=column.default if column else None,
        )
        if written in SERIAL:
            sequence = own_sequence(state, table, name)
            column = replace(column, not_null=True, default=next_value(sequence))
    if column is None:
        return
    for constraint in node.constraints or ():
        match constraint.contype.name:
            case "CONSTR_NOTNULL":
                column = replace(column, not_null=True)
                _note_required(state, table, constraint, name)
            case "CONSTR_NULL":
                column = replace(column, not_null=False)
            case "CONSTR_DEFAULT":
                column = replace(column, default=default_of(state, constraint.raw_expr))
            case "CONSTR_IDENTITY":
                own_sequence(state, table, name, constraint.options)
                identity = "always" if constraint.generated_when == "a" else "by default"
                column = replace(column, not_null=True, identity=identity)
            case "CONSTR_GENERATED":
                column = replace(column, generated=expression_of(constraint.raw_expr))
    inherit_column(state, table, column)


def inherit_column(state: State, table: RelationName, column: Column) -> None:
    """Give a column to a table and to those that inherit from it."""
    _put(state, table, column)
    for child in state.children(table):
        inherit_column(state, child, column)


def default_of(state: State, node: Node) -> str | None:
    """A default's text; None where it is NULL, which is none."""
    if kind(node) == "A_Const" and node.isnull:
        return None
    sequence = named_sequence(state, node)
    return next_value(sequence) if sequence else printed(node)


def own_sequence(
    state: State, table: RelationName, column: str, options: tuple[Node, ...] | None = None
) -> RelationName:
    """Make the sequence of a serial or identity column."""
    written = next((o.arg for o in options or () if o.defname == "sequence_name"), None)
    name = strings(written)[-1] if written else ""
    name = name or free_name(table.name, [column], "seq", state.taken(table.schema))
    state.sequences[table.beside(name)] = (table, column)
    return table.beside(name)


def _put(state: State, table: RelationName, column: Column) -> None:
    shape = state.shape(table)
    names = [each.name for each in shape.columns]
    if column.name in names:
        columns = [column if each.name == column.name else each for each in shape.columns]
    else:
        columns = [*shape.columns, column]
    state.reshape(replace(shape, columns=tuple(columns)))


def _collation(node: Node) -> str | None:
    if node.collClause is None:
        return None
    return printed(node.collClause).removeprefix("COLLATE ")


def _note_required(state: State, table: RelationName, node: Node, column: str) -> None:
    """Since PostgreSQL 18 NOT NULL is a constraint with a name."""
    known = state.tables[table]
    name = node.conname or f"{table.name}_{column}_not_null"
    state.tables[table] = replace(known, required={**known.required, name: column})
    require(state, table, [column])


def _copy_columns(state: State, table: RelationName, like: Node) -> None:
    for column in state.columns(state.found_by(like.relation)):
        copied = replace(
            column,
            default=column.default if like.options & _DEFAULTS else None,
            generated=column.generated if like.options & _GENERATED else None,
            identity=column.identity if like.options & _IDENTITY else None,
        )
        if copied.identity:
            own_sequence(state, table, column.name)
        _put(state, table, copied)


def _copy_checks(state: State, table: RelationName, source: RelationName) -> None:
    shape = state.shape(table)
    known = {each.name for each in shape.checks}
    copied = (replace(c, valid=True) for c in state.shape(source).checks if c.name not in known)
    state.reshape(replace(shape, checks=(*shape.checks, *copied)))


def _copy_indexes(state: State, table: RelationName, source: RelationName) -> None:
    for key in state.shape(source).keys:
        middle, label = ((), "pkey") if key.primary else (key.needs, "key")
        name = free_name(table.name, middle, label, state.taken(table.schema))
        shape = state.shape(table)
        state.reshape(replace(shape, keys=(*shape.keys, replace(key, name=name))))
        if key.primary:
            require(state, table, key.columns)
    for index in state.shape(source).indexes:
        node = parsed_index(index)
        if node is not None:
            node.idxname = None
            add_index(state, table, node)
