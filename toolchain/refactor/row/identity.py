"""Columns whose equal values are the same values: one of them may stand for all.

1.0 equals 1.00 and reads differently; so do texts under a nondeterministic collation.
"""

import re

from toolchain.model.schema import Column, Schema
from toolchain.refactor.phases import UnableError

_TYPES = frozenset({
    "text", "varchar", "character varying", "char", "character", "name", "uuid", "boolean", "bool",
    "smallint", "integer", "int", "bigint", "int2", "int4", "int8", "oid", "bytea", "date",
    "timestamp", "timestamp without time zone", "timestamp with time zone", "timestamptz",
    "time", "time without time zone", "inet", "cidr", "macaddr", "macaddr8",
})  # fmt: skip
_LENGTH = re.compile(r"\s*\([0-9, ]*\)")
# PostgreSQL's own collations are deterministic; any other may be or not.
_COLLATION = re.compile(
    r"(?:pg_catalog\.)?\"?(?:C|POSIX|default|ucs_basic|unicode|C\.(?:UTF-8|utf8)|pg_c_utf8"
    r"|[\w-]+-x-icu|[a-z]{2,3}_[A-Z]{2}(?:[.@]\w+)?)\"?"
)


def require_identity(schema: Schema, table: str, column: Column) -> None:
    """Raise UnableError where two values may be equal and yet not the same."""
    plain = _LENGTH.sub("", column.type).removeprefix("pg_catalog.")
    enums = {spelled for enum in schema.enums for spelled in (enum.name, str(enum))}
    if plain.lower() not in _TYPES and plain.replace('"', "") not in enums:
        raise UnableError(
            f"{column.name} of {table} is {column.type}, of which values that differ may be equal,"
            " and one of them would stand for all",
            "change the column to text in an earlier change",
        )
    if column.collation is not None and not _COLLATION.fullmatch(column.collation):
        raise UnableError(
            f"{column.name} of {table} has the collation {column.collation}, under which texts that"
            " differ may be equal, and one of them would stand for all",
            "give the column a collation of PostgreSQL's own in an earlier change",
        )
