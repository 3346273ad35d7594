"""Recognising statements about indexes, the only ones that a crash leaves half done."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_QUALIFIED = rf"(?:{_NAME}\s*\.\s*)?{_NAME}"
_CREATE = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:(IF\s+NOT\s+EXISTS)\s+)?"
    rf"(?:(?!ON\b)({_NAME})\s+)?ON\s+(?:ONLY\s+)?({_QUALIFIED})",
    re.IGNORECASE,
)
_DROP = re.compile(
    rf"DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?({_QUALIFIED})\s*"
    r"(?:\s(?:CASCADE|RESTRICT)\s*)?;?\s*",
    re.IGNORECASE,
)
_WAITS_ALONE = re.compile(
    r"(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX\s+CONCURRENTLY\b|REINDEX\b.*\bCONCURRENTLY\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class ConcurrentIndex:
    """An index that a statement makes concurrently: SQL spellings, as the file has them."""

    name: str | None
    table: str


def concurrent_index(sql: str) -> ConcurrentIndex | None:
    """What a CREATE INDEX CONCURRENTLY makes; None for any other statement."""
    match = _CREATE.match(_bare(sql))
    return None if match is None else ConcurrentIndex(match[2], match[3])


def dropped_index(sql: str) -> str | None:
    """The one index, as spelled, that a DROP INDEX CONCURRENTLY removes; None otherwise."""
    match = _DROP.fullmatch(_bare(sql))
    return None if match is None else match[1]


def waits_alone(sql: str) -> bool:
    """Whether the statement waits for others without making the application wait behind it.

    CREATE, DROP and REINDEX … CONCURRENTLY wait for old transactions under locks that no reader
    or writer conflicts with, so a short lock_timeout would only make them fail.
    """
    return _WAITS_ALONE.match(_bare(sql)) is not None


def identifier(spelling: str) -> str:
    """The name that PostgreSQL reads from a spelling: unquoted folds to lower case."""
    if spelling.startswith('"'):
        return spelling[1:-1].replace('""', '"')
    return spelling.lower()


def _bare(sql: str) -> str:
    return _COMMENT.sub(" ", sql).strip()
