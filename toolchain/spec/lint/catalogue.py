"""What the chain's own SQL tells of the schema so far: columns, checks, indexes, functions.

Tables that were there before the chain are unknown, and nothing is taken for granted about them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from toolchain.spec.lint.names import (
    Relation,
    Type,
    columns_in,
    constraints_of,
    not_null_columns,
    relation_named,
    relation_of,
    strings,
    type_of,
)
from toolchain.spec.lint.types import stored
from toolchain.spec.sql.parser import Statement, Tree


@dataclass(slots=True)
class Check:
    """A constraint: the columns that it proves not NULL, and whether all rows have been checked."""

    not_null: frozenset[str]
    valid: bool


@dataclass(slots=True)
class Table:
    """A table that the chain made, or has altered."""

    columns: dict[str, Type] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    checks: dict[str, Check] = field(default_factory=dict)

    def proves(self, column: str) -> bool:
        """Whether PostgreSQL knows without a look at the rows that a column holds no NULL."""
        proven = (check for check in self.checks.values() if check.valid)
        return column in self.required or any(column in check.not_null for check in proven)


@dataclass(slots=True)
class Catalogue:
    """The schema as far as it is known; `apply` carries it on by one statement."""

    tables: dict[Relation, Table] = field(default_factory=dict)
    indexes: dict[Relation, Relation] = field(default_factory=dict)
    keys: dict[Relation, tuple[str, ...]] = field(default_factory=dict)

    def table(self, relation: Relation) -> Table:
        """What is known of a table; perhaps nothing."""
        return self.tables.get(relation) or Table()

    def apply(self, statement: Statement) -> None:
        """Follow a statement that changes what is known."""
        tree = statement.tree
        match statement.kind:
            case "CreateStmt":
                self._create(tree)
            case "AlterTableStmt":
                table = self.tables.setdefault(relation_of(tree.get("relation", {})), Table())
                for part in tree.get("cmds", ()):
                    _alter(table, relation_of(tree["relation"]), part.get("AlterTableCmd", {}))
            case "RenameStmt" if "relation" in tree:
                self._rename(tree)
            case "DropStmt":
                for relation in dropped_relations(tree):
                    self.tables.pop(relation, None)
                    self.indexes.pop(relation, None)
            case "IndexStmt" if "idxname" in tree:
                table_of = relation_of(tree.get("relation", {}))
                index = Relation(table_of.schema, tree["idxname"])
                elements = (part.get("IndexElem", {}) for part in tree.get("indexParams", ()))
                self.indexes[index] = table_of
                self.keys[index] = tuple(each["name"] for each in elements if "name" in each)

    def _create(self, tree: Tree) -> None:
        relation, table = relation_of(tree.get("relation", {})), Table()
        self.tables[relation] = table
        for element in tree.get("tableElts", ()):
            if "ColumnDef" in element:
                _add_column(table, relation, element["ColumnDef"])
            elif "Constraint" in element:
                _add_constraint(table, relation, element["Constraint"])

    def _rename(self, tree: Tree) -> None:
        relation, new = relation_of(tree["relation"]), tree.get("newname", "")
        match tree.get("renameType"):
            case "OBJECT_TABLE" | "OBJECT_INDEX":
                moved = Relation(relation.schema, new)
                if relation in self.tables:
                    self.tables[moved] = self.tables.pop(relation)
                if relation in self.indexes:
                    self.indexes[moved] = self.indexes.pop(relation)
                for index, indexed in self.indexes.items():
                    self.indexes[index] = moved if indexed == relation else indexed
            case "OBJECT_COLUMN" if relation in self.tables:
                table, old = self.tables[relation], tree.get("subname", "")
                if old in table.columns:
                    table.columns[new] = table.columns.pop(old)


def dropped_relations(tree: Tree) -> Iterator[Relation]:
    """The tables, views, indexes and sequences that a DROP names."""
    if tree.get("removeType") in _RELATION_KINDS:
        for entry in tree.get("objects", ()):
            yield relation_named(strings(entry.get("List", {}).get("items")))


_RELATION_KINDS = frozenset({
    "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE",
    "OBJECT_FOREIGN_TABLE",
})  # fmt: skip


def _alter(table: Table, relation: Relation, command: Tree) -> None:
    name, definition = command.get("name", ""), command.get("def", {})
    match command.get("subtype"):
        case "AT_AddColumn":
            _add_column(table, relation, definition.get("ColumnDef", {}))
        case "AT_DropColumn":
            table.columns.pop(name, None)
        case "AT_AlterColumnType":
            table.columns[name] = type_of(definition.get("ColumnDef", {}).get("typeName", {}))
        case "AT_SetNotNull":
            table.required.add(name)
        case "AT_DropNotNull":
            table.required.discard(name)
        case "AT_AddConstraint":
            _add_constraint(table, relation, definition.get("Constraint", {}))
        case "AT_ValidateConstraint" if name in table.checks:
            table.checks[name].valid = True
        case "AT_DropConstraint":
            table.checks.pop(name, None)


def _add_column(table: Table, relation: Relation, column: Tree) -> None:
    name = column.get("colname", "")
    table.columns[name] = stored(type_of(column.get("typeName", {})))
    for constraint in constraints_of(column):
        if constraint.get("contype") in ("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"):
            table.required.add(name)
        else:
            _add_constraint(table, relation, constraint)


def _add_constraint(table: Table, relation: Relation, constraint: Tree) -> None:
    valid = not constraint.get("skip_validation")
    match constraint.get("contype"):
        case "CONSTR_PRIMARY":
            table.required.update(strings(constraint.get("keys")))
        case "CONSTR_NOTNULL" if valid:
            table.required.update(strings(constraint.get("keys")))
        case "CONSTR_CHECK" | "CONSTR_NOTNULL":
            expression = constraint.get("raw_expr", {})
            columns = columns_in(expression)
            keys = strings(constraint.get("keys"))
            # PostgreSQL's own choice of a name, where there is but one column to name it after.
            named = sorted(columns) or keys
            middle = f"_{named[0]}" if len(named) == 1 else ""
            name = f"{relation.name}{middle}_{'not_null' if keys else 'check'}"
            proven = not_null_columns(expression) | set(keys)
            table.checks[constraint.get("conname") or name] = Check(not_null=proven, valid=valid)
