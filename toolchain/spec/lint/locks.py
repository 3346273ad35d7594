"""Which lock a statement takes on which relation, and how long it is kept.

The modes are those of "Explicit Locking" and of each command's page in PostgreSQL's manual,
versions 12 to 18. tests/postgres/test_lint_locks.py holds them against pg_locks.
"""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.altering import alter_locks
from toolchain.spec.lint.catalogue import Catalogue, dropped_relations
from toolchain.spec.lint.mode import Lock, Mode, Work
from toolchain.spec.lint.names import (
    Relation,
    constraints_of,
    option,
    relation_named,
    relation_of,
    strings,
    walk,
)
from toolchain.spec.sql.parser import Statement, Tree

_SEPARATE = "give it a step of its own with 'transaction: false'"
_QUERIES = frozenset({
    "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "ViewStmt",
    "CreateTableAsStmt",
})  # fmt: skip
_COMMENTED = frozenset({
    "OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX",
})  # fmt: skip
_DROPPED_WITH_TABLE = frozenset({"OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"})


def locks_of(statement: Statement, catalogue: Catalogue) -> Iterator[Lock]:
    """The locks of one statement, on relations that it names or that the catalogue knows of."""
    tree = statement.tree
    target = relation_of(tree.get("relation", {}))
    match statement.kind:
        case "AlterTableStmt":
            yield from alter_locks(tree, catalogue)
        case "IndexStmt":
            yield _index(target, tree)
        case "DropStmt":
            yield from _dropped(tree, catalogue)
        case "ReindexStmt" if "relation" in tree:
            yield from _reindexed(target, tree, catalogue)
        case "CreateStmt":
            yield from _created(tree)
        case "RenameStmt" if "relation" in tree:
            quiet = tree.get("renameType") == "OBJECT_INDEX"
            mode = Mode.SHARE_UPDATE_EXCLUSIVE if quiet else Mode.ACCESS_EXCLUSIVE
            yield Lock(relation=target, mode=mode)
        case "AlterObjectSchemaStmt" | "RuleStmt" if "relation" in tree:
            yield Lock(relation=target, mode=Mode.ACCESS_EXCLUSIVE)
        case "CreatePolicyStmt" | "AlterPolicyStmt":
            table = relation_of(tree.get("table", {}))
            yield Lock(relation=table, mode=Mode.ACCESS_EXCLUSIVE)
        case "CreateTrigStmt":
            yield Lock(relation=target, mode=Mode.SHARE_ROW_EXCLUSIVE)
        case "CreateStatsStmt":
            for entry in _variables(tree.get("relations")):
                yield Lock(relation=entry, mode=Mode.SHARE_UPDATE_EXCLUSIVE)
        case "CommentStmt" if tree.get("objtype") in _COMMENTED:
            parts = strings(tree.get("object", {}).get("List", {}).get("items"))
            named = parts[: len(parts) - (tree["objtype"] == "OBJECT_COLUMN")]
            yield Lock(relation=relation_named(named), mode=Mode.SHARE_UPDATE_EXCLUSIVE)
        case "TruncateStmt":
            yield from (_truncated(each) for each in _variables(tree.get("relations")))
        case "LockStmt":
            mode = Mode(tree.get("mode", Mode.ACCESS_EXCLUSIVE))
            yield from (_locked(each, mode) for each in _variables(tree.get("relations")))
        case "RefreshMatViewStmt":
            yield _refreshed(target, tree)
        case "ClusterStmt" if "relation" in tree:
            yield _rewritten(target, "CLUSTER")
        case "VacuumStmt":
            full = tree.get("is_vacuumcmd", False) and option(tree.get("options"), "full")
            for entry in tree.get("rels", ()):
                each = relation_of(entry.get("VacuumRelation", {}).get("relation", {}))
                quiet_lock = Lock(relation=each, mode=Mode.SHARE_UPDATE_EXCLUSIVE, work=Work.SCAN)
                yield _rewritten(each, "VACUUM FULL") if full else quiet_lock
        case kind if kind in _QUERIES:
            yield from _queried(kind, tree)


def _variables(parts: object) -> Iterator[Relation]:
    for part in parts if isinstance(parts, list) else ():
        if "RangeVar" in part:
            yield relation_of(part["RangeVar"])


def _index(table: Relation, tree: Tree) -> Lock:
    if tree.get("concurrent"):
        return Lock(relation=table, mode=Mode.SHARE_UPDATE_EXCLUSIVE, work=Work.BUILD)
    if not tree.get("relation", {}).get("inh"):  # ON ONLY: an index of a partitioned table, empty
        return Lock(relation=table, mode=Mode.SHARE)
    return Lock(
        relation=table,
        mode=Mode.SHARE,
        work=Work.BUILD,
        code=Code.LINT_INDEX_LOCK,
        deed="CREATE INDEX",
        lasting="for as long as the index is built",
        cure=f"write CREATE INDEX CONCURRENTLY, and {_SEPARATE}",
    )


def _dropped(tree: Tree, catalogue: Catalogue) -> Iterator[Lock]:
    kind = tree.get("removeType")
    if kind in _DROPPED_WITH_TABLE:
        for entry in tree.get("objects", ()):
            parts = strings(entry.get("List", {}).get("items"))
            yield Lock(relation=relation_named(parts[:-1]), mode=Mode.ACCESS_EXCLUSIVE)
        return
    for relation in dropped_relations(tree):
        if kind != "OBJECT_INDEX":
            yield Lock(relation=relation, mode=Mode.ACCESS_EXCLUSIVE)
            continue
        table = catalogue.indexes.get(relation)
        if tree.get("concurrent"):
            yield Lock(relation=table or relation, mode=Mode.SHARE_UPDATE_EXCLUSIVE)
            continue
        yield Lock(
            relation=table or relation,
            mode=Mode.ACCESS_EXCLUSIVE,
            code=Code.LINT_INDEX_DROP,
            deed=f"DROP INDEX {relation.name}",
            lasting="until the step ends" if table else "and on its table until the step ends",
            cure=f"write DROP INDEX CONCURRENTLY, and {_SEPARATE}",
        )


def _reindexed(relation: Relation, tree: Tree, catalogue: Catalogue) -> Iterator[Lock]:
    of_index = tree.get("kind") == "REINDEX_OBJECT_INDEX"
    table = catalogue.indexes.get(relation, relation) if of_index else relation
    if option(tree.get("params"), "concurrently"):
        yield Lock(relation=table, mode=Mode.SHARE_UPDATE_EXCLUSIVE, work=Work.BUILD)
        return
    yield Lock(
        relation=table,
        mode=Mode.SHARE,
        work=Work.BUILD,
        code=Code.LINT_REINDEX,
        deed="REINDEX",
        lasting="and an ACCESS EXCLUSIVE lock on each index for as long as it is built",
        cure=f"write REINDEX … CONCURRENTLY, and {_SEPARATE}",
    )


def _created(tree: Tree) -> Iterator[Lock]:
    """A new table: what it inherits from and points at is locked, for a moment."""
    parent = Mode.ACCESS_EXCLUSIVE if "partbound" in tree else Mode.SHARE_UPDATE_EXCLUSIVE
    yield from (Lock(relation=each, mode=parent) for each in _variables(tree.get("inhRelations")))
    for element in tree.get("tableElts", ()):
        if "TableLikeClause" in element:
            model = relation_of(element["TableLikeClause"].get("relation", {}))
            yield Lock(relation=model, mode=Mode.ACCESS_SHARE)
    for target in referenced(tree):
        yield Lock(relation=target, mode=Mode.SHARE_ROW_EXCLUSIVE)


def referenced(create: Tree) -> Iterator[Relation]:
    """The tables that a CREATE TABLE points at."""
    for element in create.get("tableElts", ()):
        own = [element["Constraint"]] if "Constraint" in element else []
        for constraint in own or constraints_of(element.get("ColumnDef", {})):
            if "pktable" in constraint:
                yield relation_of(constraint["pktable"])


def _truncated(relation: Relation) -> Lock:
    return Lock(
        relation=relation,
        mode=Mode.ACCESS_EXCLUSIVE,
        code=Code.LINT_TRUNCATE,
        deed="TRUNCATE",
        lasting="until the step ends, and empties it for servers that still read it",
        cure="delete the rows in batches in a migrate step",
    )


def _locked(relation: Relation, mode: Mode) -> Lock:
    if mode < Mode.SHARE:
        return Lock(relation=relation, mode=mode)
    return Lock(
        relation=relation,
        mode=mode,
        code=Code.LINT_LOCK_TABLE,
        deed="LOCK TABLE",
        lasting="until the step ends",
        cure="leave it out: each statement takes the lock that it needs, for as long as it needs"
        " it; or keep the step short and say why it must lock",
    )


def _refreshed(view: Relation, tree: Tree) -> Lock:
    if tree.get("concurrent"):
        return Lock(relation=view, mode=Mode.EXCLUSIVE, work=Work.BUILD)
    return Lock(
        relation=view,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.REWRITE,
        code=Code.LINT_REFRESH,
        deed="REFRESH MATERIALIZED VIEW",
        lasting="for as long as its query runs",
        cure="write REFRESH MATERIALIZED VIEW CONCURRENTLY; the view needs a unique index for it",
    )


def _rewritten(relation: Relation, deed: str) -> Lock:
    return Lock(
        relation=relation,
        mode=Mode.ACCESS_EXCLUSIVE,
        work=Work.REWRITE,
        code=Code.LINT_TABLE_REWRITE,
        deed=deed,
        lasting="for as long as the table is written anew",
        cure="leave it to the customer's maintenance hours (pg_repack does it beside readers and"
        " writers), and take it out of the step",
    )


def _queried(kind: str, tree: Tree) -> Iterator[Lock]:
    """Tables that a query reads or changes; names of its WITH clause are no tables."""
    nodes = list(walk({kind: tree}))
    named = {node.get("ctename") for inner, node in nodes if inner == "CommonTableExpr"}
    locking = any("lockingClause" in node for _, node in nodes)
    for inner, node in nodes:
        if inner in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            yield Lock(relation=relation_of(node.get("relation", {})), mode=Mode.ROW_EXCLUSIVE)
        elif inner == "RangeVar" and ("schemaname" in node or node.get("relname") not in named):
            mode = Mode.ROW_SHARE if locking else Mode.ACCESS_SHARE
            yield Lock(relation=relation_of(node), mode=mode)
    if kind == "ViewStmt" and tree.get("replace"):
        yield Lock(relation=relation_of(tree.get("view", {})), mode=Mode.ACCESS_EXCLUSIVE)
