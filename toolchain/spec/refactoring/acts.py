"""What a statement does to which relation, of all that a refactoring may forbid for a while."""

from collections.abc import Iterator
from typing import NamedTuple

from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Act
from toolchain.spec.lint.names import relation_of, walk
from toolchain.spec.sql.parser import Statement, Tree


class Done(NamedTuple):
    """An act on a relation; `columns` are those that it writes, where it names them."""

    act: Act
    relation: RelationName
    columns: frozenset[str] = frozenset()


def acts_of(statement: Statement) -> Iterator[Done]:
    """Everything that a statement does, its WITH queries included."""
    for kind, node in walk({statement.kind: statement.tree}):
        match kind:
            case "InsertStmt":
                relation, columns = _relation(node), _targets(node.get("cols"))
                yield Done(Act.INSERT, relation, columns)
                if "onConflictClause" in node:
                    yield Done(Act.ON_CONFLICT, relation, columns)
                    if "conname" in node["onConflictClause"].get("infer", {}):
                        yield Done(Act.ON_CONSTRAINT, relation, columns)
            case "UpdateStmt":
                yield Done(Act.UPDATE, _relation(node), _targets(node.get("targetList")))
            case "DeleteStmt":
                yield Done(Act.DELETE, _relation(node))
            case "MergeStmt":
                yield Done(Act.MERGE, _relation(node))
            case "TruncateStmt":
                for each in node.get("relations", ()):
                    yield Done(Act.TRUNCATE, relation_of(each.get("RangeVar", {})))
            case "CopyStmt" if "relation" in node:
                yield Done(Act.COPY if node.get("is_from") else Act.COPY_OUT, _relation(node))
            case "SelectStmt" if "lockingClause" in node:
                for _, variable in _ranges(node.get("fromClause", ())):
                    yield Done(Act.LOCK, relation_of(variable))


def _relation(node: Tree) -> RelationName:
    return relation_of(node.get("relation", {}))


def _targets(parts: object) -> frozenset[str]:
    found = parts if isinstance(parts, list) else ()
    return frozenset(part["ResTarget"].get("name", "") for part in found if "ResTarget" in part)


def _ranges(parts: object) -> Iterator[tuple[str, Tree]]:
    return ((kind, node) for kind, node in walk(parts) if kind == "RangeVar")
