"""Rows that a step changes: all at once, or in batches that their bounds really bound."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.change import Batch, Phase
from toolchain.spec.codes import Code
from toolchain.spec.lint.names import Relation, relation_named, relation_of, strings, walk
from toolchain.spec.lint.scope import Scope
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement, Tree

_VERBS = {
    "InsertStmt": "INSERT … SELECT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}  # fmt: skip
_TOP = frozenset({*_VERBS, "SelectStmt"})
_TURNED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<", "=": "="}


def write_complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """What is wrong with the rows that a statement changes."""
    if statement.kind not in _TOP:
        return
    written = list(_written(statement, scope))
    if not written:
        return
    batch = None if scope.undo else scope.step.batch
    if batch is not None:
        yield from _bounded(statement, batch, written)
        return
    key = scope.step.phase is Phase.MIGRATE and not scope.undo
    for verb, relation in dict.fromkeys(written):
        deed = f"{verb} {'into' if verb.startswith('INSERT') else 'of'} {relation}"
        yield Complaint(
            Code.LINT_MIGRATE_KEY if key else Code.LINT_WRITE,
            f"the {deed} is one transaction: it keeps the lock of every row that it writes until"
            " the last, which blocks whoever writes one of them, and cannot be resumed",
            "give the step a 'batch' with the table's key, and bound the statement with"
            " 'BETWEEN $1 AND $2'"
            if key
            else "move it to the migrate phase, with a 'batch' that walks the table's key",
        )


def _written(statement: Statement, scope: Scope) -> Iterator[tuple[str, Relation]]:
    """Verb and table of each change of rows that may be many; new tables hold few."""
    nodes = list(walk({statement.kind: statement.tree}))
    named = {node.get("ctename") for kind, node in nodes if kind == "CommonTableExpr"}
    for kind, node in nodes:
        if kind not in _VERBS:
            continue
        relation = relation_of(node.get("relation", {}))
        if kind == "InsertStmt":
            read = {
                relation_of(inner) if inner.get("relname") not in named else None
                for each, inner in nodes
                if each == "RangeVar"
            }
            if "SelectStmt" not in node.get("selectStmt", {}) or not read - scope.empty:
                continue
            if "valuesLists" in node["selectStmt"]["SelectStmt"]:
                continue
        elif relation in scope.empty:
            continue
        yield _VERBS[kind], relation


@dataclass(slots=True)
class _Bounds:
    """How a statement uses $1 and $2."""

    lower: bool = False
    upper: bool = False
    strict: str = ""
    columns: tuple[str, ...] = ()


def _bounded(
    statement: Statement, batch: Batch, written: list[tuple[str, Relation]]
) -> Iterator[Complaint]:
    bounds = _bounds(statement)
    verb, relation = written[0]
    between = f"write '{batch.key} BETWEEN $1 AND $2'"
    deletes = all(verb == "DELETE" for verb, _ in written)
    if not bounds.upper or not (bounds.lower or deletes):
        lost = "$2" if not bounds.upper else "$1"
        yield Complaint(
            Code.LINT_BATCH_BOUNDS,
            f"no condition bounds the {verb} of {relation} by {lost}, so each batch changes rows of"
            " all the others",
            between,
        )
    elif bounds.strict:
        yield Complaint(
            Code.LINT_BATCH_BOUNDS,
            f"'{bounds.strict}' leaves out a row of every batch: $1 and $2 are its first and last"
            " key",
            between,
        )
    elif (
        relation == relation_named(batch.table.split("."))
        and statement.kind in ("UpdateStmt", "DeleteStmt")
        and batch.key not in bounds.columns
    ):
        yield Complaint(
            Code.LINT_BATCH_BOUNDS,
            f"the {verb} of {relation} is bounded by {bounds.columns[0]}, and the batch walks"
            f" {batch.key}",
            between,
        )


def _bounds(statement: Statement) -> _Bounds:
    bounds = _Bounds()
    for kind, node in walk(statement.tree):
        if kind != "A_Expr":
            continue
        left, right = node.get("lexpr", {}), node.get("rexpr", {})
        if node.get("kind") == "AEXPR_BETWEEN":
            first, last = [*right.get("List", {}).get("items", ()), {}, {}][:2]
            compared = [(">=", left, first), ("<=", left, last)]
        else:
            operator = (strings(node.get("name")) or [""])[-1]
            compared = [(operator, left, right), (_TURNED.get(operator, ""), right, left)]
        for operator, column, parameter in compared:
            _note(bounds, operator, _column(column), _parameter(parameter))
    return bounds


def _note(bounds: _Bounds, operator: str, column: str | None, number: int | None) -> None:
    if column is None or number is None:
        return
    if (number, operator) in ((1, ">="), (1, ">"), (1, "=")):
        bounds.lower = True
    if (number, operator) in ((2, "<="), (2, "<"), (1, "=")):
        bounds.upper = True
    if (number, operator) in ((1, ">"), (2, "<")):
        bounds.strict = f"{column} {operator} ${number}"
    bounds.columns = (*bounds.columns, column)


def _column(node: Tree) -> str | None:
    names = strings(node.get("ColumnRef", {}).get("fields"))
    return names[-1] if names else None


def _parameter(node: Tree) -> int | None:
    node = node.get("TypeCast", {}).get("arg", node)
    return node["ParamRef"].get("number") if "ParamRef" in node else None
