"""The statements of a file, with those inside its DO blocks: they run when the step runs."""

import json
import re
from collections.abc import Iterator
from typing import Any

from toolchain.spec.lint.names import walk
from toolchain.spec.sql.files import SqlFile
from toolchain.spec.sql.parser import Statement, parse

_QUOTE = "$interlock_block$"


def statements_of(file: SqlFile) -> Iterator[Statement]:
    """Each statement in order, and after a DO block what stands in it, as far as it is static.

    SQL that a block puts together from texts and executes is not seen.
    """
    for statement in file.statements:
        yield statement
        if statement.kind == "DoStmt":
            yield from _inside(file.text, statement)


def _inside(text: str, block: Statement) -> Iterator[Statement]:
    options = [part.get("DefElem", {}) for part in block.tree.get("args", ())]
    named = {each.get("defname"): each.get("arg", {}) for each in options}
    body = named.get("as", {}).get("String", {}).get("sval", "")
    language = named.get("language", {}).get("String", {}).get("sval", "plpgsql")
    if language != "plpgsql" or _QUOTE in body:
        return
    begin = text.find(body, block.index)
    for line, query in _queries(body):
        parsed = parse("", query)
        for inner in parsed if isinstance(parsed, list) else ():
            index = block.index if begin < 0 else _line_start(text, begin, body, line)
            yield Statement(kind=inner.kind, tree=inner.tree, index=index)


def _queries(body: str) -> Iterator[tuple[int, str]]:
    """The SQL statements of a PL/pgSQL body, each with its line in it, from 1."""
    from pglast import parser  # noqa: PLC0415 - only where there is a block

    try:
        tree: Any = json.loads(parser.parse_plpgsql_json(f"DO {_QUOTE}{body}{_QUOTE}"))
    except (parser.ParseError, ValueError, RecursionError):
        return
    for kind, node in walk(tree):
        if kind == "PLpgSQL_stmt_execsql":
            expression = node.get("sqlstmt", {}).get("PLpgSQL_expr", {})
            yield node.get("lineno", 1), expression.get("query", "")


def _line_start(text: str, begin: int, body: str, line: int) -> int:
    before = "\n".join(body.split("\n")[: line - 1])
    index = begin + len(before) + (line > 1)
    blank = re.compile(r"\s*").match(text, index)
    return blank.end() if blank else index
