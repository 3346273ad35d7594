"""Before the contract nothing goes away: what expand and migrate drop, rename or revoke."""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.made import Thing, removed
from toolchain.spec.lint.names import Relation, relation_named, relation_of, strings
from toolchain.spec.lint.scope import Scope
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement, Tree

_LATER = "move it to the contract of the change, one release later at the earliest"
_RENAMED = {
    "OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence", "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_COLUMN": "column", "OBJECT_ATTRIBUTE": "attribute", "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain", "OBJECT_SCHEMA": "schema", "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "function",
}  # fmt: skip


def removal_complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """What servers of the release before would miss after a statement."""
    if not scope.before_contract:
        return
    for thing in removed(statement):
        # An index is used by no statement; what DROP INDEX does to readers is a matter of locks.
        if thing.kind != "index" and not scope.has(thing):
            yield Complaint(
                Code.LINT_REMOVES,
                f"the {scope.step.phase.value} drops {thing.shown}, which servers of the release"
                f" before may still use",
                _LATER,
            )
    renamed = _renamed(statement)
    if renamed is not None and not scope.has(renamed):
        yield Complaint(
            Code.LINT_RENAMES,
            f"the {scope.step.phase.value} renames or moves {renamed.shown}, which servers of the"
            " release before know by its old name alone",
            "add the new name beside the old one (a view, or a second column that a trigger keeps"
            " equal), and drop the old one in the contract",
        )
    if statement.kind == "GrantStmt" and not statement.tree.get("is_grant"):
        for name in _revoked(statement.tree):
            if not any(thing.name == name for thing in scope.fresh.things):
                yield Complaint(
                    Code.LINT_REMOVES,
                    f"the {scope.step.phase.value} revokes rights on {name}, which servers of the"
                    " release before may still need",
                    _LATER,
                )


def _renamed(statement: Statement) -> Thing | None:
    tree = statement.tree
    if statement.kind == "AlterEnumStmt" and "oldVal" in tree:
        table = relation_named(strings(tree.get("typeName")))
        return Thing(kind="value", name=Relation("", tree["oldVal"]), table=table)
    if statement.kind == "AlterObjectSchemaStmt":
        kind = _RENAMED.get(tree.get("objectType", ""))
    elif statement.kind == "RenameStmt":
        kind = _RENAMED.get(tree.get("renameType", ""))
    else:
        return None
    if kind is None:
        return None
    if "relation" in tree:
        relation = relation_of(tree["relation"])
        if kind in ("column", "attribute"):
            name = Relation("", tree.get("subname", ""))
            return Thing(kind=kind, name=name, table=relation)
        return Thing(kind=kind, name=relation)
    if kind == "schema":
        return Thing(kind=kind, name=Relation("", tree.get("subname", "")))
    named = tree.get("object", {})
    parts = strings(
        named.get("ObjectWithArgs", {}).get("objname")
        or named.get("TypeName", {}).get("names")
        or named.get("List", {}).get("items")
    )
    return Thing(kind=kind, name=relation_named(parts))


def _revoked(tree: Tree) -> Iterator[Relation]:
    for entry in tree.get("objects", ()):
        if "RangeVar" in entry:
            yield relation_of(entry["RangeVar"])
        elif "ObjectWithArgs" in entry:
            yield relation_named(strings(entry["ObjectWithArgs"].get("objname")))
        elif "String" in entry:
            yield Relation("", entry["String"].get("sval", ""))
