"""Whether an SQL file is what its step needs: told by PostgreSQL's own parser.

pglast carries that parser as a library. Its JSON form is 20 times as fast as its Python tree, and
all that is asked here stands near the top of it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.located.text import origin_at
from toolchain.spec.problem import Complaint, Place, Problem
from toolchain.spec.wording import show

# A statement as PostgreSQL's parser describes it: JSON, whose nodes have no common type.
Tree = dict[str, Any]

_BLANK = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: the parser's name for its kind, its parts, and where it begins in the text."""

    kind: str
    tree: Tree
    index: int


def parse(file: str, text: str) -> list[Statement] | Problem:
    """The statements of a file, or the place where PostgreSQL's parser stops."""
    from pglast import parser  # noqa: PLC0415 - 0.03 s, and a product may have no SQL

    try:
        parsed = json.loads(parser.parse_sql_json(text))
    except parser.ParseError as error:
        return _syntax(file, text, error)
    except (RecursionError, ValueError):
        return Complaint(
            Code.SQL_SYNTAX,
            "a statement is nested too deeply to be checked",
            "split the expression",
        ).at(Place(Origin(file=file)))
    return list(_statements(text, parsed["stmts"]))


def _statements(text: str, raw: list[Tree]) -> Iterator[Statement]:
    """Statements with their places; the parser counts bytes, and editors count characters."""
    data = text.encode()
    for entry in raw:
        ((kind, tree),) = entry["stmt"].items()
        begin = len(data[: entry.get("stmt_location", 0)].decode())
        blank = _BLANK.match(text, begin)
        yield Statement(kind=kind, tree=tree, index=blank.end() if blank else begin)


def _syntax(file: str, text: str, error: Exception) -> Problem:
    words, index = str(error.args[0]), error.args[1]
    index = len(text.rstrip()) if index is None else index
    place = Place(origin_at(file, text, index))
    if text[index : index + 1] == "\\":
        command = re.match(r"\\\S*", text[index:])
        return Complaint(
            Code.SQL_META_COMMAND,
            f"{show(command[0] if command else '')} is a command of psql, not SQL",
            "write the SQL itself; one step has one file",
        ).at(place)
    if text[index : index + 1] == ":":
        return Complaint(
            Code.SQL_META_COMMAND,
            "':' begins a variable of psql, which SQL does not have",
            "write the value itself",
        ).at(place)
    return Complaint(
        Code.SQL_SYNTAX,
        f"PostgreSQL says: {words}",
        "mend the statement here or just before; it was read by PostgreSQL's own parser",
    ).at(place)


def parameters(statement: Statement) -> set[int]:
    """The numbers of the parameters ($1, $2 …) that a statement uses."""
    found: set[int] = set()
    waiting: list[Any] = [statement.tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            reference = part.get("ParamRef")
            if isinstance(reference, dict):
                found.add(int(reference.get("number", 0)))
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found


def refused_in_transaction(statement: Statement) -> str | None:
    """The name of a statement that PostgreSQL refuses inside a transaction block; None for others.

    These are the callers of PreventInTransactionBlock in PostgreSQL's source.
    """
    tree = statement.tree
    match statement.kind:
        case "IndexStmt" if tree.get("concurrent"):
            return "CREATE INDEX CONCURRENTLY"
        case "DropStmt" if tree.get("concurrent"):
            return "DROP INDEX CONCURRENTLY"
        case "ReindexStmt":
            return _reindex(tree)
        case "VacuumStmt" if tree.get("is_vacuumcmd"):
            return "VACUUM"
        case "ClusterStmt" if "relation" not in tree:
            return "CLUSTER of all tables"
        case "AlterTableStmt" if _detaches_concurrently(tree):
            return "ALTER TABLE … DETACH PARTITION CONCURRENTLY"
        case "AlterSystemStmt":
            return "ALTER SYSTEM"
        case "CreatedbStmt":
            return "CREATE DATABASE"
        case "DropdbStmt":
            return "DROP DATABASE"
        case "CreateTableSpaceStmt":
            return "CREATE TABLESPACE"
        case "DropTableSpaceStmt":
            return "DROP TABLESPACE"
        case _:
            return None


def _reindex(tree: Tree) -> str | None:
    options = {part.get("DefElem", {}).get("defname") for part in tree.get("params", ())}
    if "concurrently" in options:
        return "REINDEX CONCURRENTLY"
    whole = tree.get("kind", "").removeprefix("REINDEX_OBJECT_")
    return f"REINDEX {whole}" if whole in ("SCHEMA", "SYSTEM", "DATABASE") else None


def _detaches_concurrently(tree: Tree) -> bool:
    for part in tree.get("cmds", ()):
        definition = part.get("AlterTableCmd", {}).get("def", {}).get("PartitionCmd", {})
        if definition.get("concurrent"):
            return True
    return False
