"""The locks of new constraints, and of what PostgreSQL checks like one."""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.mode import Lock, Mode, Work
from toolchain.spec.lint.names import Relation, relation_of
from toolchain.spec.sql.parser import Tree


def not_null_lock(relation: Relation, name: str, catalogue: Catalogue) -> Lock:
    """SET NOT NULL: a look at every row, unless the chain has proved what it asks."""
    if catalogue.table(relation).proves(name):
        return Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)
    return Lock(
        relation=relation,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.SCAN,
        code=Code.LINT_SET_NOT_NULL,
        deed=f"SET NOT NULL of {name}",
        lasting="for as long as every row is looked at",
        cure=f"add CHECK ({name} IS NOT NULL) NOT VALID in one step and VALIDATE CONSTRAINT in"
        " another; after that SET NOT NULL looks at no row",
    )


def constraint_locks(relation: Relation, constraint: Tree) -> Iterator[Lock]:
    """The locks of a constraint that is added to a table; none for what is no constraint."""
    name = constraint.get("conname", "")
    called = f" {name}" if name else ""
    mode, unproved = Mode.ACCESS_EXCLUSIVE, constraint.get("skip_validation", False)
    match constraint.get("contype"):
        case "CONSTR_CHECK" | "CONSTR_NOTNULL" if "keys" in constraint or "raw_expr" in constraint:
            kind = "NOT NULL" if "keys" in constraint else "CHECK"
            lasting = "for as long as every row is checked"
        case "CONSTR_FOREIGN":
            mode, kind = Mode.SHARE_ROW_EXCLUSIVE, "FOREIGN KEY"
            target = relation_of(constraint.get("pktable", {}))
            lasting = f"and on {target} for as long as every row is checked"
            yield Lock(relation=target, mode=mode)
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_EXCLUSION" as contype:
            yield _constraint_index(relation, called, constraint, contype)
            return
        case _:
            return
    if unproved:
        yield Lock(relation=relation, mode=mode)
        return
    yield Lock(
        relation=relation,
        mode=mode,
        work=Work.SCAN,
        code=Code.LINT_CONSTRAINT_SCAN,
        deed=f"adding the {kind} constraint{called}",
        lasting=lasting,
        cure="add it NOT VALID, which binds new rows and looks at none, and VALIDATE CONSTRAINT in"
        " a later step of its own",
    )


def _constraint_index(relation: Relation, called: str, constraint: Tree, contype: str) -> Lock:
    if "indexname" in constraint:
        return Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)
    kind = {"CONSTR_PRIMARY": "PRIMARY KEY", "CONSTR_UNIQUE": "UNIQUE"}.get(contype, "EXCLUDE")
    cure = (
        "CREATE UNIQUE INDEX CONCURRENTLY in a step of its own with 'transaction: false', then ADD"
        f" CONSTRAINT … {kind} USING INDEX"
    )
    if kind == "EXCLUDE":
        cure = "PostgreSQL has no quiet way: put it on a new table, and move the rows in batches"
    return Lock(
        relation=relation,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.BUILD,
        code=Code.LINT_CONSTRAINT_INDEX,
        deed=f"adding the {kind} constraint{called}",
        lasting="for as long as its index is built",
        cure=cure,
    )


def key_locks(relation: Relation, constraint: Tree, catalogue: Catalogue) -> Iterator[Lock]:
    """PRIMARY KEY USING INDEX makes the index's columns NOT NULL, with the look that this takes."""
    index = Relation(relation.schema, constraint.get("indexname", ""))
    for column in catalogue.keys.get(index, ()):
        yield not_null_lock(relation, column, catalogue)


def attach_lock(part: Relation, catalogue: Catalogue) -> Lock:
    """A table that becomes a partition; a valid CHECK may prove that its rows fit."""
    if any(check.valid for check in catalogue.table(part).checks.values()):
        return Lock(relation=part, mode=Mode.ACCESS_EXCLUSIVE)
    return Lock(
        relation=part,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.SCAN,
        code=Code.LINT_CONSTRAINT_SCAN,
        deed="ATTACH PARTITION",
        lasting="for as long as every row is checked against the partition's bounds",
        cure="add a CHECK that says the bounds NOT VALID, VALIDATE CONSTRAINT in another step, then"
        " attach",
    )
