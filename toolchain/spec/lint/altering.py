"""The locks of ALTER TABLE, by subcommand, and what PostgreSQL does with the rows under them.

The modes are those of AlterTableGetLockLevel in PostgreSQL's source and of the manual's page on
ALTER TABLE; they are the same from PostgreSQL 12 to 18.
"""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.constraints import (
    attach_lock,
    constraint_locks,
    key_locks,
    not_null_lock,
)
from toolchain.spec.lint.mode import Lock, Mode, Work
from toolchain.spec.lint.names import Relation, constraints_of, relation_of, type_of
from toolchain.spec.lint.types import is_serial, keeps_rows
from toolchain.spec.lint.volatile import volatile_call
from toolchain.spec.sql.parser import Tree

_SHARE_UPDATE_EXCLUSIVE = frozenset({
    "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_ClusterOn", "AT_DropCluster",
    "AT_ValidateConstraint", "AT_DetachPartitionFinalize", "AT_AttachPartition",
})  # fmt: skip
_SHARE_ROW_EXCLUSIVE = frozenset({
    "AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrigAll",
    "AT_EnableTrigUser", "AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser",
})  # fmt: skip
# Storage parameters whose change readers and writers must not overlap with (reloptions.c).
_LOUD_OPTIONS = frozenset({"user_catalog_table", "security_barrier", "security_invoker"})
_REWRITES = {
    "AT_SetTableSpace": "SET TABLESPACE",
    "AT_SetLogged": "SET LOGGED",
    "AT_SetUnLogged": "SET UNLOGGED",
    "AT_SetAccessMethod": "SET ACCESS METHOD",
}


def alter_locks(tree: Tree, catalogue: Catalogue) -> Iterator[Lock]:
    """The locks of an ALTER TABLE, one or more for each of its subcommands."""
    relation = relation_of(tree.get("relation", {}))
    for part in tree.get("cmds", ()):
        yield from _command(relation, part.get("AlterTableCmd", {}), catalogue)


def _command(relation: Relation, command: Tree, catalogue: Catalogue) -> Iterator[Lock]:
    subtype, definition = command.get("subtype", ""), command.get("def", {})
    name = command.get("name", "")
    match subtype:
        case "AT_AddColumn":
            yield from _add_column(relation, definition.get("ColumnDef", {}))
        case "AT_AlterColumnType":
            yield _alter_type(relation, name, definition.get("ColumnDef", {}), catalogue)
        case "AT_SetNotNull":
            yield not_null_lock(relation, name, catalogue)
        case "AT_AddConstraint":
            constraint = definition.get("Constraint", {})
            yield from constraint_locks(relation, constraint)
            if constraint.get("contype") == "CONSTR_PRIMARY":
                yield from key_locks(relation, constraint, catalogue)
        case "AT_AttachPartition":
            yield Lock(relation=relation, mode=Mode.SHARE_UPDATE_EXCLUSIVE)
            part = relation_of(definition.get("PartitionCmd", {}).get("name", {}))
            yield attach_lock(part, catalogue)
        case "AT_DetachPartition":
            partition = definition.get("PartitionCmd", {})
            mode = Mode.ACCESS_EXCLUSIVE
            if partition.get("concurrent"):
                mode = Mode.SHARE_UPDATE_EXCLUSIVE
            yield Lock(relation=relation, mode=mode)
            yield Lock(relation=relation_of(partition.get("name", {})), mode=mode)
        case "AT_SetRelOptions" | "AT_ResetRelOptions" | "AT_ReplaceRelOptions":
            listed = definition.get("List", {}).get("items", ())
            names = {entry.get("DefElem", {}).get("defname") for entry in listed}
            quiet = not names & _LOUD_OPTIONS
            mode = Mode.SHARE_UPDATE_EXCLUSIVE if quiet else Mode.ACCESS_EXCLUSIVE
            yield Lock(relation=relation, mode=mode)
        case _ if subtype in _REWRITES:
            yield Lock(
                relation=relation,
                mode=Mode.ACCESS_EXCLUSIVE,
                work=Work.REWRITE,
                code=Code.LINT_TABLE_REWRITE,
                deed=_REWRITES[subtype],
                lasting="for as long as the table is written anew",
                cure="make a second table beside it, follow the writes with a trigger, copy it in"
                " batches, and let the contract swap the two",
            )
        case _ if subtype in _SHARE_UPDATE_EXCLUSIVE:
            work = Work.SCAN if subtype == "AT_ValidateConstraint" else Work.BRIEF
            yield Lock(relation=relation, mode=Mode.SHARE_UPDATE_EXCLUSIVE, work=work)
        case _ if subtype in _SHARE_ROW_EXCLUSIVE:
            yield Lock(relation=relation, mode=Mode.SHARE_ROW_EXCLUSIVE)
        case _:
            yield Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)


def _add_column(relation: Relation, column: Tree) -> Iterator[Lock]:
    """A new column: PostgreSQL keeps a steady default in the catalogue, and writes all others."""
    constraints = {part.get("contype"): part for part in constraints_of(column)}
    name, rewrites = column.get("colname", ""), None
    cure = (
        "add the column without it, SET DEFAULT for new rows, and fill the old ones in batches in"
        " the migrate phase"
    )
    default = constraints.get("CONSTR_DEFAULT", {}).get("raw_expr")
    generated = constraints.get("CONSTR_GENERATED")
    if is_serial(type_of(column.get("typeName", {}))) or "CONSTR_IDENTITY" in constraints:
        rewrites = "a number from a sequence in every row"
        cure = (
            "add a nullable column, give it nextval() of a new sequence as its default, and fill"
            " the old rows in batches in the migrate phase"
        )
    elif generated is not None and generated.get("generated_kind") != "v":
        rewrites = "a stored generated value"
        cure = "add a plain column, fill it with a trigger, and the old rows in batches"
    elif default is not None and (call := volatile_call(default)):
        rewrites = f"the volatile default {call}()"
    if rewrites is not None:
        yield Lock(
            relation=relation,
            mode=Mode.ACCESS_EXCLUSIVE,
            work=Work.REWRITE,
            code=Code.LINT_COLUMN_REWRITE,
            deed=f"ADD COLUMN {name} with {rewrites}",
            lasting="for as long as every row is rewritten",
            cure=cure,
        )
    else:
        yield Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)
    for constraint in constraints.values():
        # A reference whose column is NULL in every row has nothing to check.
        if constraint.get("contype") == "CONSTR_FOREIGN" and default is None:
            pair = (relation, relation_of(constraint.get("pktable", {})))
            yield from (Lock(relation=each, mode=Mode.SHARE_ROW_EXCLUSIVE) for each in pair)
        else:
            yield from constraint_locks(relation, constraint)


def _alter_type(relation: Relation, name: str, column: Tree, catalogue: Catalogue) -> Lock:
    new = type_of(column.get("typeName", {}))
    old = catalogue.table(relation).columns.get(name)
    if old is not None and "raw_default" not in column and keeps_rows(old, new):
        return Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)
    was = f" (now {old})" if old not in (None, new) else ""
    return Lock(
        relation=relation,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.REWRITE,
        code=Code.LINT_TYPE_REWRITE,
        deed=f"changing the type of {name}{was} to {new}",
        lasting="for as long as the table and its indexes are written anew",
        cure="expand with a second column of the new type that a trigger keeps equal, migrate the"
        " rows in batches, and let the contract drop the old column",
    )


def validated(tree: Tree) -> list[str]:
    """The constraints that an ALTER TABLE validates."""
    commands = (part.get("AlterTableCmd", {}) for part in tree.get("cmds", ()))
    return [
        command.get("name", "")
        for command in commands
        if command.get("subtype") == "AT_ValidateConstraint"
    ]
