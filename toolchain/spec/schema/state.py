"""What a replay knows: tables and whatever hangs on them, each value frozen, the whole mutable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, Schema, TableSchema, Trigger
from toolchain.refactor.sql import literal, relation
from toolchain.spec.schema.text import Node, parsed, strings

TEMPORARY = "pg_temp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Columns that an object of a table needs beyond what the model says of it.

    `kind` is trigger (its WHEN), policy or rule.
    """

    kind: str
    name: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's shape and what only the replay needs; `required` are named NOT NULL constraints."""

    shape: TableSchema
    parents: tuple[RelationName, ...] = ()
    partitioned: bool = False
    required: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view: its columns, and by relation the columns that it reads."""

    columns: tuple[Column, ...] = ()
    reads: Mapping[RelationName, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function; `reads` is what its SQL-standard body names, as a view's. Others are texts."""

    reads: Mapping[RelationName, frozenset[str]] = field(default_factory=dict)


# Functions of one name differ in the types of what goes into them.
Signature = tuple[RelationName, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A publication; `tables` maps those published by name to the columns that it needs."""

    everything: bool = False
    schemas: frozenset[str] = frozenset()
    tables: Mapping[RelationName, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """The schema so far; a sequence has the table and column that own it, or None.

    `types` are all that are no enums, with the default of a domain.
    """

    tables: dict[RelationName, Table] = field(default_factory=dict)
    views: dict[RelationName, View] = field(default_factory=dict)
    sequences: dict[RelationName, tuple[RelationName, str] | None] = field(default_factory=dict)
    enums: dict[RelationName, tuple[str, ...]] = field(default_factory=dict)
    types: dict[RelationName, str | None] = field(default_factory=dict)
    functions: dict[Signature, Function] = field(default_factory=dict)
    publications: dict[str, Publication] = field(default_factory=dict)
    path: tuple[str, ...] = ("public",)

    def copy(self) -> "State":
        """Another state that goes its own way; what is frozen is shared."""
        return State(
            tables=dict(self.tables),
            views=dict(self.views),
            sequences=dict(self.sequences),
            enums=dict(self.enums),
            types=dict(self.types),
            functions=dict(self.functions),
            publications=dict(self.publications),
        )

    def names(self) -> Iterator[RelationName]:
        """Everything that has a name of a relation or of a type."""
        yield from (*self.enums, *self.types)
        yield from self.relations()

    def relations(self) -> Iterator[RelationName]:
        """Everything that has a name of a relation."""
        yield from (*self.tables, *self.views, *self.sequences)
        for name, table in self.tables.items():
            yield from (index.name for index in table.shape.indexes)
            yield from (name.beside(key.name) for key in table.shape.keys)

    def found(self, names: tuple[str, ...]) -> RelationName:
        """What a dotted name means; one that is not known lies where it would be created."""
        if len(names) > 1:
            return RelationName(names[-2], names[-1])
        known = set(self.names())
        for schema in (TEMPORARY, *self.path):
            if (name := RelationName(schema, names[-1])) in known:
                return name
        return RelationName(self.path[0], names[-1])

    def found_by(self, variable: Node) -> RelationName:
        """The relation that a RangeVar names."""
        qualified = (variable.schemaname, variable.relname)
        return self.found(qualified if variable.schemaname else (variable.relname,))

    def made_by(self, variable: Node) -> RelationName:
        """The relation that a RangeVar would create."""
        if variable.relpersistence == "t":
            return RelationName(TEMPORARY, variable.relname)
        return RelationName(variable.schemaname or self.path[0], variable.relname)

    def taken(self, schema: str) -> set[str]:
        """The names in a schema that PostgreSQL passes by when it chooses one for a constraint."""
        found = {name.name for name in self.names() if name.schema == schema}
        for name, table in self.tables.items():
            if name.schema == schema:
                found.update(each.name for each in table.shape.checks)
                found.update(each.name for each in table.shape.foreign_keys)
        return found

    def columns(self, name: RelationName) -> tuple[Column, ...]:
        """The columns of a table or view, as far as they are known."""
        if name in self.tables:
            return self.tables[name].shape.columns
        return self.views[name].columns if name in self.views else ()

    def shape(self, name: RelationName) -> TableSchema:
        """The table of that name, or one of which nothing is known."""
        known = self.tables.get(name)
        return known.shape if known else TableSchema(name=name)

    def reshape(self, shape: TableSchema) -> None:
        """Give a known table another shape."""
        if shape.name in self.tables:
            self.tables[shape.name] = replace(self.tables[shape.name], shape=shape)

    def children(self, parent: RelationName) -> tuple[RelationName, ...]:
        """The tables that inherit from a table, its partitions among them."""
        return tuple(name for name, each in self.tables.items() if parent in each.parents)

    def forget_temporary(self) -> None:
        """Take away what ends with a session."""
        for name in [name for name in self.tables if name.schema == TEMPORARY]:
            del self.tables[name]
        for name in [name for name in self.views if name.schema == TEMPORARY]:
            del self.views[name]
        for name in [name for name in self.sequences if name.schema == TEMPORARY]:
            del self.sequences[name]

    def snapshot(self) -> Schema:
        """The schema as it is now."""
        parents = {parent for table in self.tables.values() for parent in table.parents}
        views: dict[RelationName, list[RelationName]] = {}
        for name, view in self.views.items():
            for read in view.reads:
                views.setdefault(read, []).append(name)
        functions: dict[RelationName, set[RelationName]] = {}
        for (name, _), function in self.functions.items():
            for read in function.reads:
                functions.setdefault(read, set()).add(name)
        return Schema(
            tables={
                name: replace(
                    table.shape,
                    views=tuple(sorted(views.get(name, ()))),
                    functions=tuple(sorted(functions.get(name, ()))),
                    triggers=_with_conditions(table),
                    publications=tuple(
                        sorted(p for p, each in self.publications.items() if name in each.tables)
                    ),
                    published=frozenset().union(
                        *(each.tables.get(name, ()) for each in self.publications.values())
                    ),
                    children=bool(table.parents) or table.partitioned or name in parents,
                )
                for name, table in self.tables.items()
            },
            views=frozenset(self.views),
            sequences=frozenset(self.sequences),
            enums=dict(self.enums),
            types=dict(self.types),
            whole_publications=tuple(
                sorted(
                    p for p, each in self.publications.items() if each.everything or each.schemas
                )
            ),
        )


def _with_conditions(table: Table) -> tuple[Trigger, ...]:
    """The triggers of a table, each with what its WHEN reads."""
    read = {each.name: each.columns for each in table.readings if each.kind == "trigger"}
    names = {column.name for column in table.shape.columns}
    return tuple(
        replace(each, condition=read.get(each.name, frozenset()) & names)
        for each in table.shape.triggers
    )


def next_value(sequence: RelationName) -> str:
    """The default of a serial column."""
    return f"nextval({literal(relation(sequence))}::regclass)"


def named_sequence(state: State, node: Node) -> RelationName | None:
    """The sequence of which a default takes the next value, where it is named by a constant."""
    if type(node).__name__ != "FuncCall" or strings(node.funcname)[-1] != "nextval":
        return None
    argument = node.args[0] if node.args else None
    constant = getattr(argument, "arg", argument)
    text = getattr(getattr(constant, "val", None), "sval", None)
    if text is None:
        return None
    return state.found(strings(parsed(text).fields))
