"""A migration's SQL taken apart: each statement with its text, without what is the old tool's."""

import json
import re
from dataclasses import dataclass

from toolchain.spec.problem import Problem
from toolchain.spec.sql.parser import Statement, Tree, parse

# Commands of psql that change what is shown, and nothing in the database.
_SHOWN = re.compile(r"\\(?:set|unset|echo|qecho|warn|timing|pset|encoding|x|t|a)\b[^\n]*")
_OWN_TABLES = frozenset({"alembic_version", "flyway_schema_history"})
# How long to wait is the runner's to say; a dump of pg_dump begins by waiting for ever.
_WAITS = frozenset({
    "lock_timeout", "statement_timeout", "transaction_timeout",
    "idle_in_transaction_session_timeout",
})  # fmt: skip
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One statement with the comments before it and its semicolon."""

    text: str
    statement: Statement
    line: int

    @property
    def setting(self) -> bool:
        """Whether it says how what follows is read, and so belongs before each part of it."""
        return self.statement.kind == "VariableSetStmt" or "set_config" in _called(self.statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The pieces of a migration; `text` is the whole where nothing was left out, else empty."""

    pieces: tuple[Piece, ...]
    text: str
    left_out: tuple[str, ...]


def parts_of(where: str, text: str) -> Parts | Problem:
    """Take a migration apart; transactions and the old tool's own table are left to the runner."""
    text, left_out = _without_commands(text)
    statements = parse(where, text)
    if isinstance(statements, Problem):
        return statements
    pieces = []
    kept_all = True
    for statement, own in zip(statements, _texts(text), strict=True):
        if statement.kind == "TransactionStmt":
            left_out.append(own.strip().splitlines()[-1].strip())
            kept_all = False
        elif (table := _own_table(statement)) is not None:
            left_out.append(f"a statement about {table}")
            kept_all = False
        elif statement.kind == "VariableSetStmt" and statement.tree.get("name") in _WAITS:
            left_out.append(f"SET {statement.tree['name']}")
            kept_all = False
        else:
            line = text.count("\n", 0, statement.index) + 1
            pieces.append(Piece(text=own.strip("\n") + "\n", statement=statement, line=line))
    return Parts(
        pieces=tuple(pieces),
        text=text.strip("\n") + "\n" if kept_all else "",
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _texts(text: str) -> list[str]:
    """The text of each statement, from the end of the one before it; the parser counts bytes."""
    from pglast import parser  # noqa: PLC0415 - only where there is SQL

    data, begin, found = text.encode(), 0, []
    for entry in json.loads(parser.parse_sql_json(text))["stmts"]:
        length = entry.get("stmt_len")
        end = len(data) if length is None else entry.get("stmt_location", 0) + length
        while end < len(data) and data[end : end + 1].isspace():
            end += 1
        end += data[end : end + 1] == b";"
        own = data[begin:end].decode()
        found.append(own if own.rstrip().endswith(";") else own.rstrip() + "\n;")
        begin = end
    return found


def _without_commands(text: str) -> tuple[str, list[str]]:
    """The text with psql's harmless commands blanked, where the parser stops at one."""
    from pglast import parser  # noqa: PLC0415

    left_out: list[str] = []
    for _ in range(_MOST):
        try:
            parser.parse_sql_json(text)
        except parser.ParseError as error:
            index = error.args[1] if len(error.args) > 1 else None
            match = _SHOWN.match(text, index) if isinstance(index, int) else None
            if match is None:
                break
            left_out.append(match[0].strip())
            text = text[: match.start()] + text[match.end() :]
        except (RecursionError, ValueError):
            break
        else:
            break
    return text, left_out


def _called(statement: Statement) -> tuple[str, ...]:
    """The name of the function whose call is the whole of a SELECT."""
    targets = statement.tree.get("targetList", ()) if statement.kind == "SelectStmt" else ()
    names = [
        target.get("ResTarget", {}).get("val", {}).get("FuncCall", {}).get("funcname", ())
        for target in targets
    ]
    return tuple(part.get("String", {}).get("sval", "") for part in names[0]) if names else ()


def _own_table(statement: Statement) -> str | None:
    """The old tool's own table, where that is what a statement is about."""
    relation: Tree = statement.tree.get("relation", {})
    names = {relation.get("relname")}
    if statement.kind == "DropStmt":
        for entry in statement.tree.get("objects", ()):
            for part in entry.get("List", {}).get("items", ())[-1:]:
                names.add(part.get("String", {}).get("sval"))
    found = names & _OWN_TABLES
    return str(found.pop()) if found else None
