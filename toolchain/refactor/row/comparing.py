"""Values compared by what is stored, with the operators of REFRESH MATERIALIZED VIEW CONCURRENTLY.

They know NULL, they are there for types that have no equality, such as json, and they tell apart
what is equal and yet reads differently, such as 1.0 and 1.00. The casts keep PostgreSQL from
comparing the two rows column by column, by operators of the columns' types.
"""

from collections.abc import Iterable

from toolchain.refactor.sql import idents


def differ(columns: Iterable[str], one: str, other: str) -> str:
    """Whether two records differ in any of the columns."""
    return _compared(columns, one, "*<>", other)


def same(columns: Iterable[str], one: str, other: str) -> str:
    """Whether two records have the same in all of the columns."""
    return _compared(columns, one, "*=", other)


def _compared(columns: Iterable[str], one: str, operator: str, other: str) -> str:
    names = list(columns)
    return (
        f"ROW({idents(names, f'{one}.')})::record {operator}"
        f" ROW({idents(names, f'{other}.')})::record"
    )
