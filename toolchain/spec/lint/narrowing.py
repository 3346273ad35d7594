"""Before the contract nothing gets tighter: what old servers write must go on being accepted."""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.made import commands
from toolchain.spec.lint.names import (
    Relation,
    columns_in,
    constraints_of,
    not_null_columns,
    relation_named,
    relation_of,
    strings,
    type_of,
)
from toolchain.spec.lint.scope import Scope
from toolchain.spec.lint.types import holds_all, is_serial
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement, Tree

_KINDS = {
    "CONSTR_CHECK": "a CHECK", "CONSTR_FOREIGN": "a foreign key", "CONSTR_UNIQUE": "UNIQUE",
    "CONSTR_PRIMARY": "a primary key", "CONSTR_EXCLUSION": "EXCLUDE", "CONSTR_NOTNULL": "NOT NULL",
}  # fmt: skip
_LATER = (
    "move it to the contract of the change, or make every server write what it asks for one"
    " release earlier and say so in 'allow'"
)
_FILLED = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})


def narrowing_complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """What servers of the release before could not write any more."""
    tree = statement.tree
    relation = relation_of(tree.get("relation", {}))
    if statement.kind == "AlterTableStmt" and relation not in scope.empty:
        for command in commands(tree):
            if command.get("subtype") == "AT_AddColumn":
                yield from _required(relation, command.get("def", {}).get("ColumnDef", {}))
    if not scope.before_contract or relation in scope.fresh.relations:
        return
    for what in _narrowed(statement, relation, scope):
        yield Complaint(
            Code.LINT_NARROWS,
            f"{what}, and servers of the release before may write what it refuses",
            _LATER,
        )


def _required(relation: Relation, column: Tree) -> Iterator[Complaint]:
    kinds = {part.get("contype") for part in constraints_of(column)}
    demanding = kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}
    if demanding and not kinds & _FILLED and not is_serial(type_of(column.get("typeName", {}))):
        yield Complaint(
            Code.LINT_NOT_NULL_COLUMN,
            f"ADD COLUMN {column.get('colname', '')} is NOT NULL without a default, which fails"
            f" under an ACCESS EXCLUSIVE lock as soon as {relation} has a row, and refuses every"
            " row of a server that does not know the column",
            "give it a constant default, which PostgreSQL keeps in the catalogue; or add it without"
            " NOT NULL, fill it in the migrate phase and require it in the contract",
        )


def _narrowed(statement: Statement, relation: Relation, scope: Scope) -> Iterator[str]:
    tree = statement.tree
    match statement.kind:
        case "AlterTableStmt":
            for command in commands(tree):
                yield from _command(relation, command, scope)
        case "IndexStmt" if tree.get("unique"):
            elements = [part.get("IndexElem", {}) for part in tree.get("indexParams", ())]
            columns = {part["name"] for part in elements if "name" in part} | columns_in(elements)
            if not _all_new(relation, columns, scope):
                yield f"the unique index {tree.get('idxname', '')} of {relation} binds old columns"
        case "AlterDomainStmt" if tree.get("subtype") in ("C", "O"):
            name = relation_named(strings(tree.get("typeName")))
            if not any(thing.name == name for thing in scope.fresh.things):
                yield f"the domain {name} becomes narrower"


def _command(relation: Relation, command: Tree, scope: Scope) -> Iterator[str]:
    name, definition = command.get("name", ""), command.get("def", {})
    table, new = scope.catalogue.table(relation), (relation, name) in scope.fresh.columns
    match command.get("subtype"):
        case "AT_AddConstraint":
            yield from _constraint(relation, definition.get("Constraint", {}), scope)
        case "AT_SetNotNull" if not new and not table.proves(name):
            yield f"{name} of {relation} becomes NOT NULL"
        case "AT_ColumnDefault" if not definition and not new:
            yield f"{name} of {relation} loses its default"
        case "AT_AddIdentity" if not new and _always(definition):
            yield f"{name} of {relation} becomes GENERATED ALWAYS"
        case "AT_AlterColumnType" if not new and name in table.columns:
            old = table.columns[name]
            wanted = type_of(definition.get("ColumnDef", {}).get("typeName", {}))
            if not holds_all(old, wanted):
                yield f"{name} of {relation} becomes {wanted}, which does not hold all of {old}"
        case "AT_EnableRowSecurity" | "AT_ForceRowSecurity":
            yield f"{relation} hides and refuses rows that no policy lets through"


def _always(definition: Tree) -> bool:
    return bool(definition.get("Constraint", {}).get("generated_when") == "a")


def _constraint(relation: Relation, constraint: Tree, scope: Scope) -> Iterator[str]:
    kind = _KINDS.get(constraint.get("contype", ""))
    if kind is None or "indexname" in constraint:
        return
    expression = constraint.get("raw_expr", {})
    columns = {
        *strings(constraint.get("keys")), *strings(constraint.get("fk_attrs")),
        *columns_in(expression),
    }  # fmt: skip
    # A server that does not know the columns leaves them NULL, which all but these let through.
    demanding = kind in ("NOT NULL", "a primary key") or not_null_columns(expression)
    if demanding or not _all_new(relation, columns, scope):
        called = constraint.get("conname", "")
        yield f"{kind}{f' ({called})' if called else ''} binds every new row of {relation}"


def _all_new(relation: Relation, columns: set[str], scope: Scope) -> bool:
    return bool(columns) and all((relation, each) in scope.fresh.columns for each in columns)
