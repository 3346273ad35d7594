"""What a statement creates, and what it removes, by kind and name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolchain.spec.lint.names import Relation, Type, relation_named, relation_of, strings, type_of
from toolchain.spec.sql.parser import Statement, Tree

_RELATIONS = {
    "OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence", "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_INDEX": "index",
}  # fmt: skip
_ON_TABLES = {"OBJECT_TRIGGER": "trigger", "OBJECT_RULE": "rule", "OBJECT_POLICY": "policy"}
_FUNCTIONS = frozenset({
    "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE",
})  # fmt: skip
_TYPES = {"OBJECT_TYPE": "type", "OBJECT_DOMAIN": "domain"}
# By the statement that makes a thing: its kind, and where the tree has its name.
_MADE = {
    "CreateStmt": ("table", ("relation",)),
    "CreateTableAsStmt": ("table", ("into", "rel")),
    "ViewStmt": ("view", ("view",)),
    "CreateSeqStmt": ("sequence", ("sequence",)),
    "CreateForeignTableStmt": ("foreign table", ("base", "relation")),
    "CompositeTypeStmt": ("type", ("typevar",)),
}
_NAMED = {
    "CreateEnumStmt": ("type", "typeName"),
    "CreateRangeStmt": ("type", "typeName"),
    "CreateDomainStmt": ("domain", "domainname"),
}
_MADE_ON_TABLES = {
    "CreateTrigStmt": ("trigger", "trigname", "relation"),
    "RuleStmt": ("rule", "rulename", "relation"),
    "CreatePolicyStmt": ("policy", "policy_name", "table"),
}
_INPUTS = frozenset({
    "FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object of the schema; `table` is what it belongs to, where it belongs to one.

    A function has the types of its inputs, None where a DROP leaves them out, and the number of
    those that a caller must give.
    """

    kind: str
    name: Relation
    table: Relation | None = None
    inputs: tuple[Type, ...] | None = None
    needed: int = 0

    @property
    def shown(self) -> str:
        """The thing in a sentence: `the column cpu_model of public.host`."""
        if self.table is not None:
            return f"the {self.kind} {self.name.name} of {self.table}"
        listed = f"({', '.join(map(str, self.inputs))})" if self.inputs is not None else ""
        return f"the {self.kind} {self.name}{listed}"

    def serves(self, gone: "Thing") -> bool:
        """Whether callers of a thing that is gone find this one in its place."""
        relations = {*_RELATIONS.values()} - {"index"}
        alike = gone.kind == self.kind or {gone.kind, self.kind} <= relations
        if not alike or (gone.name, gone.table) != (self.name, self.table):
            return False
        if gone.inputs is None or self.inputs is None:
            return True
        given = len(gone.inputs)
        return self.inputs[:given] == gone.inputs and given >= self.needed


def created(statement: Statement) -> Iterator[Thing]:
    """The objects that there are because of a statement."""
    tree, kind = statement.tree, statement.kind
    relation = relation_of(tree.get("relation", {}))
    if kind in _MADE:
        what, place = _MADE[kind]
        yield Thing(kind=what, name=relation_of(_below(tree, place)))
    elif kind in _NAMED:
        what, key = _NAMED[kind]
        yield Thing(kind=what, name=relation_named(strings(tree.get(key))))
    elif kind in _MADE_ON_TABLES:
        what, key, table = _MADE_ON_TABLES[kind]
        owner = relation_of(tree.get(table, {}))
        yield Thing(kind=what, name=Relation("", tree.get(key, "")), table=owner)
    elif kind == "SelectStmt" and "intoClause" in tree:
        yield Thing(kind="table", name=relation_of(tree["intoClause"].get("rel", {})))
    elif kind == "IndexStmt" and "idxname" in tree:
        yield Thing(kind="index", name=Relation(relation.schema, tree["idxname"]))
    elif kind == "RenameStmt" and tree.get("renameType") in _RELATIONS:
        name = Relation(relation.schema, tree.get("newname", ""))
        yield Thing(kind=_RELATIONS[tree["renameType"]], name=name)
    elif kind == "CreateFunctionStmt":
        yield _function(tree)
    elif kind == "CreateSchemaStmt":
        yield Thing(kind="schema", name=Relation("", tree.get("schemaname", "")))


def _below(tree: Tree, place: Sequence[str]) -> Tree:
    """What stands at a place of a tree; nothing where it leads nowhere."""
    for key in place:
        tree = tree.get(key, {})
    return tree


def new_columns(statement: Statement) -> Iterator[tuple[Relation, str]]:
    """The columns that an ALTER TABLE adds."""
    if statement.kind == "AlterTableStmt":
        relation = relation_of(statement.tree.get("relation", {}))
        for command in commands(statement.tree):
            if command.get("subtype") == "AT_AddColumn":
                column = command.get("def", {}).get("ColumnDef", {})
                yield relation, column.get("colname", "")


def commands(tree: Tree) -> Iterator[Tree]:
    """The subcommands of an ALTER TABLE."""
    for part in tree.get("cmds", ()):
        yield part.get("AlterTableCmd", {})


def removed(statement: Statement) -> Iterator[Thing]:
    """The objects that are gone after a statement, as far as it names them."""
    tree = statement.tree
    if statement.kind == "AlterTableStmt":
        relation = relation_of(tree.get("relation", {}))
        kind = "attribute" if tree.get("objtype") == "OBJECT_TYPE" else "column"
        for command in commands(tree):
            if command.get("subtype") == "AT_DropColumn":
                name = Relation("", command.get("name", ""))
                yield Thing(kind=kind, name=name, table=relation)
    elif statement.kind == "DropStmt":
        for entry in tree.get("objects", ()):
            thing = _dropped(tree.get("removeType", ""), entry)
            if thing is not None:
                yield thing


def _dropped(kind: str, entry: Tree) -> Thing | None:
    parts = strings(entry.get("List", {}).get("items"))
    if kind in _RELATIONS:
        return Thing(kind=_RELATIONS[kind], name=relation_named(parts))
    if kind in _ON_TABLES:
        name = Relation("", (parts or [""])[-1])
        return Thing(kind=_ON_TABLES[kind], name=name, table=relation_named(parts[:-1]))
    if kind in _FUNCTIONS:
        whole = entry.get("ObjectWithArgs", {})
        inputs = tuple(type_of(each.get("TypeName", {})) for each in whole.get("objargs", ()))
        known = None if whole.get("args_unspecified") else inputs
        return Thing(
            kind="function", name=relation_named(strings(whole.get("objname"))), inputs=known
        )
    if kind in _TYPES:
        name = relation_named(strings(entry.get("TypeName", {}).get("names")))
        return Thing(kind=_TYPES[kind], name=name)
    if kind in ("OBJECT_SCHEMA", "OBJECT_EXTENSION"):
        name = Relation("", entry.get("String", {}).get("sval", ""))
        return Thing(kind=kind.removeprefix("OBJECT_").lower(), name=name)
    return None


def _function(tree: Tree) -> Thing:
    parameters = [part.get("FunctionParameter", {}) for part in tree.get("parameters", ())]
    inputs = [each for each in parameters if each.get("mode") in _INPUTS]
    return Thing(
        kind="function",
        name=relation_named(strings(tree.get("funcname"))),
        inputs=tuple(type_of(each.get("argType", {})) for each in inputs),
        needed=sum("defexpr" not in each for each in inputs),
    )
