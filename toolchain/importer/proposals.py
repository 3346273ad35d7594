"""Refactorings that Interlock can carry out instead of a statement, where its pattern is plain."""

from dataclasses import dataclass

from toolchain.importer.yaml_text import flow
from toolchain.model.change import Phase
from toolchain.spec.lint.made import commands
from toolchain.spec.lint.names import Relation, constraints_of, relation_named, relation_of, strings
from toolchain.spec.sql.parser import Statement, Tree

_BOTH = (Phase.MIGRATE, Phase.CONTRACT)
_CONTRACT = (Phase.CONTRACT,)
_OBEY = "why servers of the release before obey it (allow: {lint-narrows: …})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An operation of the spec, with its arguments as they stand there; `open` needs a person.

    `open` names what nobody but a person can say, such as the value of a new type by the old one.
    `later` are the phases after the expand that it takes.
    """

    operation: str
    arguments: tuple[tuple[str, object], ...]
    later: tuple[Phase, ...]
    open: str = ""

    @property
    def text(self) -> str:
        """The operation as it stands in a spec."""
        return f"{self.operation}: {flow(dict(self.arguments))}"


def proposed(statement: Statement) -> Proposal | None:
    """The refactoring in whose place a statement stands; None where none is plain."""
    tree = statement.tree
    table = _shown(relation_of(tree.get("relation", {})))
    match statement.kind:
        case "RenameStmt" if tree.get("renameType") == "OBJECT_COLUMN" and table:
            return _proposal(
                "rename_column", _BOTH, table=table, column=tree.get("subname"), to=tree["newname"]
            )
        case "RenameStmt" if tree.get("renameType") == "OBJECT_TABLE":
            return _proposal("rename_table", _CONTRACT, table=table, to=tree["newname"])
        case "DropStmt" if tree.get("removeType") == "OBJECT_TABLE":
            objects = tree.get("objects", ())
            if len(objects) == 1:
                parts = strings(objects[0].get("List", {}).get("items"))
                return _proposal("drop_table", _CONTRACT, table=_shown(relation_named(parts)))
        case "IndexStmt" if "idxname" in tree and not tree.get("concurrent"):
            return _index(table, tree)
        case "AlterTableStmt":
            several = list(commands(tree))
            return _altered(table, several[0]) if len(several) == 1 else None
        case _:
            pass
    return None


def _proposal(
    operation: str, later: tuple[Phase, ...], *, open_: str = "", **arguments: object
) -> Proposal:
    return Proposal(
        operation=operation, arguments=tuple(arguments.items()), later=later, open=open_
    )


def _altered(table: str, command: Tree) -> Proposal | None:
    name, definition = command.get("name", ""), command.get("def", {})
    column = definition.get("ColumnDef", {})
    match command.get("subtype"):
        case "AT_DropColumn":
            return _proposal("drop_column", _CONTRACT, table=table, column=name)
        case "AT_SetNotNull":
            return _proposal(
                "set_not_null",
                _BOTH,
                open_="what stands where a row has NULL",
                table=table,
                column=name,
                fill="VALUE",
            )
        case "AT_DropConstraint":
            return _proposal(
                "drop_constraint",
                _CONTRACT,
                open_="whether it goes at once or in the contract, as check says",
                table=table,
                name=name,
            )
        case "AT_AlterColumnType":
            kind = (strings(column.get("typeName", {}).get("names")) or ["TYPE"])[-1]
            new = f"new_{name}"
            return _proposal(
                "change_columns",
                _BOTH,
                open_="the new column's name, and how each value follows from the other",
                table=table,
                old={name: f"{new}::TYPE"},
                new={new: {"type": kind, "value": f"{name}::{kind}"}},
            )
        case "AT_AddColumn" if _required(column):
            kind = (strings(column.get("typeName", {}).get("names")) or ["TYPE"])[-1]
            return _proposal(
                "add_column",
                _BOTH,
                open_="the value for rows whose writer does not know the column",
                table=table,
                column=column.get("colname"),
                type=kind,
                value="VALUE",
                not_null=True,
            )
        case "AT_AddConstraint":
            return _constrained(table, definition.get("Constraint", {}))
        case _:
            return None


def _required(column: Tree) -> bool:
    kinds = {part.get("contype") for part in constraints_of(column)}
    return "CONSTR_NOTNULL" in kinds and "CONSTR_DEFAULT" not in kinds


def _index(table: str, tree: Tree) -> Proposal | None:
    elements = [part.get("IndexElem", {}) for part in tree.get("indexParams", ())]
    plain = all(
        set(each) <= {"name", "ordering", "nulls_ordering", "location"}
        and each.get("ordering", "SORTBY_DEFAULT") == "SORTBY_DEFAULT"
        and each.get("nulls_ordering", "SORTBY_NULLS_DEFAULT") == "SORTBY_NULLS_DEFAULT"
        for each in elements
    )
    if not plain or "whereClause" in tree or "indexIncludingParams" in tree or "options" in tree:
        return None
    arguments: dict[str, object] = {
        "table": table,
        "name": tree["idxname"],
        "on": [each["name"] for each in elements],
    }
    if tree.get("accessMethod", "btree") != "btree":
        arguments["using"] = tree["accessMethod"]
    if tree.get("unique"):
        arguments["unique"] = True
    return Proposal(operation="add_index", arguments=tuple(arguments.items()), later=())


def _constrained(table: str, constraint: Tree) -> Proposal | None:
    name = constraint.get("conname")
    if not name:
        return None
    match constraint.get("contype"):
        case "CONSTR_UNIQUE" if constraint.get("keys"):
            columns = strings(constraint.get("keys"))
            return _proposal(
                "add_unique", _CONTRACT, open_=_OBEY, table=table, name=name, columns=columns
            )
        case "CONSTR_FOREIGN":
            arguments: dict[str, object] = {
                "table": table,
                "name": name,
                "columns": strings(constraint.get("fk_attrs")),
                "references": _shown(relation_of(constraint.get("pktable", {}))),
            }
            if referenced := strings(constraint.get("pk_attrs")):
                arguments["referenced"] = referenced
            actions = {"c": "cascade", "n": "set null", "d": "set default", "r": "restrict"}
            if (action := actions.get(constraint.get("fk_del_action", "a"))) is not None:
                arguments["on_delete"] = action
            return Proposal(
                operation="add_foreign_key",
                arguments=tuple(arguments.items()),
                later=_CONTRACT,
                open=_OBEY,
            )
        case _:
            return None


def _shown(relation: Relation) -> str:
    return relation.name if relation.schema == "public" else f"{relation.schema}.{relation.name}"
