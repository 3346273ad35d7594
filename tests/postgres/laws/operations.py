"""Operations on logical rows: what each does to the model, and how a form says it in SQL."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import psycopg2.extensions

from tests.postgres.laws.case import ROWS, Form, Row, Rows, Statements

Changes = dict[int, Row | None]
Told = dict[int, int | None]

GROUP = 3  # how many keys share what they share, where a case says that they do


class Kind(Enum):
    """The operations, by the names that forms have for them."""

    INSERT = "insert"
    UPSERT = "upsert"
    COPY = "copy"
    ADD = "add"
    ADD_REST = "add_rest"
    WRITE = "write"
    CLEAR = "clear"
    CLEAR_LOW = "clear_low"
    JOIN = "join"
    REPEAT = "repeat"
    DELETE = "delete"
    REKEY = "rekey"
    CASCADE = "cascade"
    TRUNCATE = "truncate"


class ConflictError(Exception):
    """The model says that the statement must fail: a key is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; `high` is above `low` where one statement is about several rows."""

    kind: Kind
    low: int = 0
    high: int = 0
    by: int = 0
    text: str | None = None
    to: int = 0
    fresh: tuple[tuple[int, Row], ...] = ()


def can(form: Form, kind: Kind) -> bool:
    """Whether a form knows the operation."""
    return getattr(form, kind.value) is not None


def perform(cursor: "psycopg2.extensions.cursor", form: Form, operation: Operation) -> None:
    """Execute an operation in a form; raises psycopg2.Error."""
    if operation.kind is Kind.COPY:
        for copy in form.copy or ():
            lines = "".join(_line(key, row, copy.fields) for key, row in operation.fresh)
            cursor.copy_expert(f"COPY {copy.into} FROM STDIN", io.StringIO(lines))
        return
    statements: Statements = getattr(form, operation.kind.value)
    values = {
        "low": operation.low, "high": operation.high, "by": operation.by, "text": operation.text,
        "to": operation.to,
        "keys": [key for key, _ in operation.fresh],
        "ns": [row.n for _, row in operation.fresh],
        "ms": [row.m for _, row in operation.fresh],
        "texts": [row.text for _, row in operation.fresh],
    }  # fmt: skip
    for statement in statements:
        cursor.execute(statement.replace("{rows}", ROWS), values)


def _line(key: int, row: Row, fields: tuple[str, ...]) -> str:
    words: dict[str, Any] = {
        "key": key, "owner": key // 10, "group": key // GROUP, "n": row.n, "m": row.m,
        "text": row.text,
    }  # fmt: skip
    chosen = (words[name] for name in fields)
    return "\t".join("\\N" if word is None else str(word) for word in chosen) + "\n"


def effect(operation: Operation, rows: Mapping[int, Row], group: int = 1) -> Changes:
    """What an operation changes in the rows that it is about; raises ConflictError."""
    several = [key for key in rows if operation.low <= key <= operation.high]
    match operation.kind:
        case Kind.INSERT | Kind.COPY:
            if any(key in rows for key, _ in operation.fresh):
                raise ConflictError
            changes: Changes = dict(operation.fresh)
        case Kind.JOIN | Kind.REPEAT:
            if any(key in rows for key, _ in operation.fresh):
                raise ConflictError
            shared = {key // group: row.n for key, row in rows.items()}
            changes = {
                key: replace(row, n=shared[key // group])
                for key, row in operation.fresh
                if key // group in shared
            }
        case Kind.UPSERT:
            changes = {
                key: replace(row, n=(rows[key].n or 0) + (row.n or 0)) if key in rows else row
                for key, row in operation.fresh
            }
        case Kind.ADD:
            changes = {
                key: replace(rows[key], n=_sum(rows[key].n, operation.by)) for key in several
            }
        case Kind.ADD_REST:
            changes = {key: replace(rows[key], m=rows[key].m + operation.by) for key in several}
        case Kind.WRITE:
            present = (key for key in several if rows[key].n is not None)
            changes = {key: replace(rows[key], text=operation.text) for key in present}
        case Kind.CLEAR:
            changes = {key: replace(rows[key], n=None, text=None) for key in several}
        case Kind.CLEAR_LOW:
            changes = {
                key: replace(row, n=None, text=None)
                for key in several
                for row in (rows[key],)
                if row.n is not None and row.n < operation.by
            }
        case Kind.DELETE:
            changes = dict.fromkeys(several)
        case Kind.REKEY:
            if operation.low in rows and operation.to in rows and operation.low != operation.to:
                raise ConflictError
            moved = rows.get(operation.low)
            changes = {operation.low: None, operation.to: moved} if moved else {}
        case Kind.CASCADE:
            changes = dict.fromkeys(key for key in rows if key // 10 == operation.low // 10)
        case Kind.TRUNCATE:
            changes = dict.fromkeys(rows)
    return changes


def tell(operation: Operation, changes: Changes, rows: Mapping[int, Row], group: int) -> Told:
    """What the changes say of whole groups; the last row speaks for all."""
    if group == 1 or operation.kind in {Kind.JOIN, Kind.REPEAT}:
        return {}
    return {
        key // group: row.n
        for key, row in changes.items()
        if row is not None and (key not in rows or rows[key].n != row.n)
    }


def spread(rows: Rows, told: Told, group: int) -> Rows:
    """The rows after all of each group have heard what was told."""
    return {
        key: replace(row, n=told[key // group]) if key // group in told else row
        for key, row in rows.items()
    }


def rows_after(operation: Operation, rows: Rows, group: int) -> Rows:
    """The rows after one transaction with this operation."""
    changes = effect(operation, rows, group)
    return spread(changed(rows, changes), tell(operation, changes, rows, group), group)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def changed(rows: Mapping[int, Row], changes: Changes) -> Rows:
    """The rows after changes."""
    after = {**rows, **changes}
    return {key: row for key, row in after.items() if row is not None}
