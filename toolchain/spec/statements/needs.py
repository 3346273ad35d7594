"""What a server's statement cannot do without in a schema: tables, columns that it writes, keys.

Columns that are only read are left to the rehearsal: a bare name may be that of any relation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.phases import Act
from toolchain.spec.lint.names import relation_of, walk
from toolchain.spec.problem import Problem
from toolchain.spec.refactoring.acts import acts_of
from toolchain.spec.sql.parser import Statement, Tree, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A relation, or of it a column, the unique key of an ON CONFLICT, or a constraint by name.

    With `partial` an index with a predicate does for the key as well.
    """

    relation: RelationName
    column: str | None = None
    key: frozenset[str] = frozenset()
    partial: bool = False
    constraint: str | None = None

    def __str__(self) -> str:
        if self.column is not None:
            return f"the column {self.column} of {self.relation}"
        if self.constraint is not None:
            return f"the constraint {self.constraint} of {self.relation}"
        if self.key:
            columns = ", ".join(sorted(self.key))
            return f"a unique key ({columns}) of {self.relation} for its ON CONFLICT"
        return f"the table {self.relation}"

    def rank(self) -> tuple[bool, bool, str]:
        """An order in which what others hang on comes first."""
        return (
            self.column is None and self != Need(relation=self.relation),
            self.column is None,
            str(self),
        )

    def met(self, schema: Schema) -> bool | None:
        """Whether a schema has it; None where that cannot be told, as of a view's columns."""
        table = schema.tables.get(self.relation)
        if self == Need(relation=self.relation):
            return table is not None or (None if self.relation in schema.views else False)
        if table is None or table.children:
            return None  # partitions and children have what their parents have
        if self.column is not None:
            return table.column(self.column) is not None
        if self.constraint is not None:
            return self.constraint in _constraints(table)
        return any(key == self.key for key in _keys(table, partial=self.partial))


def _constraints(table: TableSchema) -> set[str]:
    excluding = (index.name.name for index in table.indexes if index.excludes)
    return {*(key.name for key in table.keys), *excluding}


def _keys(table: TableSchema, *, partial: bool) -> Iterator[frozenset[str]]:
    """The columns of every unique index that ON CONFLICT may infer."""
    from toolchain.spec.schema.indexes import indexed_columns, parsed_index  # noqa: PLC0415

    yield from (frozenset(key.columns) for key in table.keys if not key.deferrable)
    for index in table.indexes:
        node = parsed_index(index) if index.unique else None
        if node is not None and (partial or node.whereClause is None):
            columns, _ = indexed_columns(node)
            if len(columns) == len(node.indexParams):
                yield frozenset(columns)


@cache
def needs_of(sql: str) -> frozenset[Need]:
    """All that the statements of a text need."""
    parsed = parse("", sql)
    return frozenset(
        need
        for statement in (() if isinstance(parsed, Problem) else parsed)
        for need in (*_named({statement.kind: statement.tree}), *_written(statement))
    )


def _written(statement: Statement) -> Iterator[Need]:
    for done in acts_of(statement):
        if done.act is not Act.LOCK:  # which may be of a query in WITH
            yield Need(relation=done.relation)
        yield from (Need(relation=done.relation, column=column) for column in done.columns)


def _named(tree: Tree) -> Iterator[Need]:
    nodes = list(walk(tree))
    queries = {node.get("ctename") for kind, node in nodes if kind == "CommonTableExpr"}
    for kind, node in nodes:
        if kind == "RangeVar" and ("schemaname" in node or node.get("relname") not in queries):
            yield Need(relation=relation_of(node))
        elif kind == "InsertStmt":
            infer = node.get("onConflictClause", {}).get("infer", {})
            yield from _arbiter(relation_of(node.get("relation", {})), infer)


def _arbiter(relation: RelationName, infer: Tree) -> Iterator[Need]:
    if "conname" in infer:
        yield Need(relation=relation, constraint=infer["conname"])
    elements = [part.get("IndexElem", {}) for part in infer.get("indexElems", ())]
    if elements and all("name" in element for element in elements):
        key = frozenset(element["name"] for element in elements)
        yield Need(relation=relation, key=key, partial="whereClause" in infer)
