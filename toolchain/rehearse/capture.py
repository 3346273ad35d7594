"""Statements that a staging database has counted, as files for the rehearsal."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.edge.postgres.statistics import OWN, Counted
from toolchain.model.origin import Origin
from toolchain.model.statement import Statement
from toolchain.spec.problem import Problem
from toolchain.spec.sql.parser import parse
from toolchain.spec.statements.written import MixedError, take_apart

_VERBS = {
    "SelectStmt": "select",
    "InsertStmt": "insert",
    "UpdateStmt": "update",
    "DeleteStmt": "delete",
    "MergeStmt": "merge",
    "CallStmt": "call",
}
_BLANK = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# pg_stat_statements makes INTERVAL '1 day' into INTERVAL $1, which is no SQL any more.
_TYPED = re.compile(
    r"\b(interval|date|timestamptz|timestamp|timetz|time|inet|cidr|uuid|numeric|point)\s+(\$\d+)",
    re.IGNORECASE,
)
_OWN_SCHEMA = "interlock"
_CATALOGS = ("pg_catalog", "information_schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A statement to be kept, the group (a file) that it belongs to, and its fingerprint."""

    group: str
    name: str
    sql: str
    parameters: int
    fingerprint: str

    @property
    def text(self) -> str:
        """The statement as its file has it."""
        return f"-- name: {self.name}\n{self.sql};\n"

    @property
    def statement(self) -> Statement:
        """The statement as it is tried."""
        return Statement(
            name=self.name,
            sql=self.sql,
            text=self.sql,
            parameters=self.parameters,
            origin=Origin(file=f"{self.group}.sql"),
        )


def statements_to_keep(counted: Iterable[Counted]) -> tuple[Captured, ...]:
    """The statements of an application, each once, in an order that depends on them alone.

    Left out are utility statements, Interlock's own, and those that ask the catalogs alone, as
    drivers and tools do.
    """
    found: dict[str, Captured] = {}
    for query in sorted({each.query for each in counted}):
        captured = _captured(query)
        if captured is not None:
            found.setdefault(captured.fingerprint, captured)
    return tuple(sorted(found.values(), key=lambda each: (each.group, each.name)))


def fingerprints_of(text: str) -> frozenset[str]:
    """The fingerprints of the statements that a file holds already; none where it is broken."""
    try:
        return frozenset(_fingerprint(written.sql) for written in take_apart(text).statements)
    except MixedError:
        return frozenset()


def file_text(existing: str, captured: Sequence[Captured]) -> str:
    """A group's file: what it holds already as it stands, and the statements that it does not."""
    known = fingerprints_of(existing)
    parts = [existing.rstrip("\n") + "\n"] if existing.strip() else []
    parts += [each.text for each in captured if each.fingerprint not in known]
    return "\n".join(parts)


def by_group(captured: Iterable[Captured]) -> Mapping[str, tuple[Captured, ...]]:
    """The statements of each file."""
    found: dict[str, tuple[Captured, ...]] = {}
    for each in captured:
        found[each.group] = (*found.get(each.group, ()), each)
    return found


def _captured(query: str) -> Captured | None:
    if OWN in query:
        return None
    blank = _BLANK.match(query)
    text = query[blank.end() if blank else 0 :].strip().rstrip(";").rstrip()
    sql = _TYPED.sub(r"\2::\1", text)
    parsed = parse("", sql)
    if isinstance(parsed, Problem) or len(parsed) != 1 or parsed[0].kind not in _VERBS:
        return None
    relations, functions = list(_relations(parsed[0].tree)), list(_functions(parsed[0].tree))
    schemas = {schema for schema, _ in (*relations, *functions)}
    if _OWN_SCHEMA in schemas or _is_catalogs(relations or functions):
        return None
    try:
        taken = take_apart(sql)
    except MixedError:
        return None
    group = _group(relations)
    verb = _VERBS[parsed[0].kind]
    digest = hashlib.sha256(sql.encode()).hexdigest()[:8]
    return Captured(
        group=group,
        name=f"{verb}-{group}-{digest}",
        sql=sql,
        parameters=len(taken.statements[0].names),
        fingerprint=_fingerprint(sql),
    )


def _fingerprint(sql: str) -> str:
    """What makes a statement the same whatever its constants and its layout."""
    from pglast.parser import ParseError, fingerprint  # noqa: PLC0415

    try:
        return str(fingerprint(sql))
    except ParseError:
        return hashlib.sha256(sql.encode()).hexdigest()


def _nodes(tree: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every node of a kind, in the order in which the statement is written, more or less."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            # Where a grammar rule takes a table and nothing else, the node stands without its kind.
            if (key == kind or (kind == "RangeVar" and key == "relation")) and isinstance(
                value, dict
            ):
                yield value.get(kind, value)
            yield from _nodes(value, kind)
    elif isinstance(tree, list):
        for item in tree:
            yield from _nodes(item, kind)


def _relations(tree: Any) -> Iterator[tuple[str, str]]:
    """Schema (or nothing) and name of each table; the one that is written to comes first."""
    for node in _nodes(tree, "RangeVar"):
        if "relname" in node:
            yield str(node.get("schemaname", "")), str(node["relname"])


def _functions(tree: Any) -> Iterator[tuple[str, str]]:
    """Schema (or nothing) and name of each function that is called."""
    for node in _nodes(tree, "FuncCall"):
        names = [str(part.get("String", {}).get("sval", "")) for part in node.get("funcname", ())]
        yield names[0] if len(names) > 1 else "", names[-1] if names else ""


def _is_catalogs(named: Sequence[tuple[str, str]]) -> bool:
    """Whether all of these tables, or functions where there is no table, are PostgreSQL's own."""
    return bool(named) and all(
        schema in _CATALOGS or name.startswith("pg_") for schema, name in named
    )


def _group(relations: Sequence[tuple[str, str]]) -> str:
    """The file of a statement: named after its first table, in letters that any file may bear."""
    if not relations:
        return "other"
    return re.sub(r"[^a-z0-9_]+", "-", relations[0][1].lower()).strip("-") or "other"
