"""Statements that are dangerous whatever they lock: CASCADE, enum labels, rights, references."""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.made import commands
from toolchain.spec.lint.names import (
    Relation,
    constraints_of,
    relation_named,
    relation_of,
    strings,
    walk,
)
from toolchain.spec.lint.scope import Scope
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement, Tree

# The actions of a foreign key on DELETE, as the parser has them (FKCONSTR_ACTION_*).
_ACTIONS = {
    "c": "deletes the rows that point at them",
    "n": "sets the columns that point at them to NULL",
    "d": "sets the columns that point at them to their default",
}
_REFUSED = "is refused while a row points at them"


def hazard_complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """What is dangerous about a statement by itself."""
    yield from _cascade(statement)
    yield from _definer(statement)
    yield from _labels(statement, scope)
    yield from _domain(statement, scope)
    if scope.before_contract:
        yield from _references(statement, scope)


def _cascade(statement: Statement) -> Iterator[Complaint]:
    tree = statement.tree
    parts = commands(tree) if statement.kind == "AlterTableStmt" else iter((tree,))
    if statement.kind not in ("AlterTableStmt", "DropStmt", "TruncateStmt", "DropOwnedStmt"):
        return
    if any(part.get("behavior") == "DROP_CASCADE" for part in parts):
        verb = {"AlterTableStmt": "DROP", "TruncateStmt": "TRUNCATE"}.get(statement.kind, "DROP")
        yield Complaint(
            Code.LINT_CASCADE,
            f"{verb} … CASCADE also removes whatever depends on it, on a customer's shard perhaps"
            " what nobody here knows of",
            f"name each thing that goes, and {verb} it without CASCADE",
        )


def _definer(statement: Statement) -> Iterator[Complaint]:
    """CVE-2018-1058: whoever may create objects in a schema on the path decides what is called."""
    field = {"CreateFunctionStmt": "options", "AlterFunctionStmt": "actions"}.get(statement.kind)
    if field is None:
        return
    options = [part.get("DefElem", {}) for part in statement.tree.get(field, ())]
    definer = any(
        each.get("defname") == "security" and each.get("arg", {}).get("Boolean", {}).get("boolval")
        for each in options
    )
    fixed = any(
        each.get("defname") == "set"
        and each.get("arg", {}).get("VariableSetStmt", {}).get("name") == "search_path"
        for each in options
    )
    if definer and not fixed:
        named = statement.tree.get("funcname") or statement.tree.get("func", {}).get("objname")
        yield Complaint(
            Code.LINT_DEFINER_PATH,
            f"the function {relation_named(strings(named))} is SECURITY DEFINER without a"
            " search_path of its own, so a caller's search_path chooses what its owner runs",
            "write SET search_path = pg_catalog, pg_temp, and qualify the names in its body",
        )


def _labels(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """PostgreSQL refuses a new enum label until the transaction that added it has ended."""
    tree = statement.tree
    if statement.kind == "AlterEnumStmt" and "oldVal" not in tree:
        name = relation_named(strings(tree.get("typeName")))
        if not any(thing.name == name for thing in scope.coming):
            scope.labels.add(tree.get("newVal", ""))
        return
    if not scope.labels or not scope.step.transaction:
        return
    for kind, node in walk(tree):
        label = node.get("sval", {}).get("sval") if kind == "A_Const" else None
        if label in scope.labels:
            yield Complaint(
                Code.LINT_ENUM_VALUE,
                f"the enum label '{label}' is used in the transaction that adds it, which"
                " PostgreSQL refuses",
                "add the label in a step of its own, before this one",
            )
            return


def _domain(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """A domain's new constraint is checked in every table that uses it, whichever those are."""
    tree = statement.tree
    name = relation_named(strings(tree.get("typeName")))
    if statement.kind != "AlterDomainStmt" or any(each.name == name for each in scope.fresh.things):
        return
    constraint = tree.get("def", {}).get("Constraint", {})
    checks = tree.get("subtype") == "C" and not constraint.get("skip_validation")
    if checks or tree.get("subtype") == "O":
        yield Complaint(
            Code.LINT_CONSTRAINT_SCAN,
            f"the new constraint of the domain {name} takes a SHARE lock on every table with a"
            " column of it for as long as every row is checked, which blocks every write",
            "add it as a CHECK … NOT VALID, and ALTER DOMAIN … VALIDATE CONSTRAINT in a later step"
            " of its own",
        )


def _references(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """A reference to a table in use changes what DELETE does there, for old servers too."""
    for target, constraint in _foreign_keys(statement):
        if target in scope.empty or target in scope.fresh.relations:
            continue
        deed = _ACTIONS.get(constraint.get("fk_del_action", "a"), _REFUSED)
        yield Complaint(
            Code.LINT_REFERENCE,
            f"with the new reference a DELETE of rows of {target} {deed}, also one by a server that"
            " does not know of it",
            "make sure that servers of the release before can live with it, and say so in 'allow'",
        )


def _foreign_keys(statement: Statement) -> Iterator[tuple[Relation, Tree]]:
    tree = statement.tree
    found: list[Tree] = []
    if statement.kind == "CreateStmt":
        for element in tree.get("tableElts", ()):
            found += [element["Constraint"]] if "Constraint" in element else []
            found += constraints_of(element.get("ColumnDef", {}))
    elif statement.kind == "AlterTableStmt":
        for command in commands(tree):
            definition = command.get("def", {})
            found += [definition["Constraint"]] if "Constraint" in definition else []
            found += constraints_of(definition.get("ColumnDef", {}))
    own = relation_of(tree.get("relation", {}))
    for constraint in found:
        if "pktable" in constraint and relation_of(constraint["pktable"]) != own:
            yield relation_of(constraint["pktable"]), constraint
