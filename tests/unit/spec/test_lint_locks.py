"""The lock that the lint says of each statement; tests/postgres asks PostgreSQL the same."""

import pytest

from tests.lint_statements import ALONE, DDL, ELSEWHERE, KEYS, NEWER, ROWS_TOO, SETUP
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.locks import locks_of
from toolchain.spec.lint.mode import Lock, Work
from toolchain.spec.lint.names import Relation
from toolchain.spec.sql.parser import Statement, parse


def _parsed(text: str) -> list[Statement]:
    statements = parse("test.sql", text)
    assert isinstance(statements, list), statements
    return statements


@pytest.fixture(scope="module")
def shop() -> Catalogue:
    catalogue = Catalogue()
    for statement in _parsed(SETUP):
        catalogue.apply(statement)
    return catalogue


def _locks(shop: Catalogue, statement: str, relation: str) -> list[Lock]:
    (parsed,) = _parsed(statement)
    return [
        lock for lock in locks_of(parsed, shop) if lock.relation == Relation("public", relation)
    ]


def _mode(locks: list[Lock]) -> str:
    return max(lock.mode for lock in locks).words if locks else "none"


@pytest.mark.parametrize("statement", [*DDL, *NEWER, *KEYS])
def test_definitions(shop: Catalogue, statement: str) -> None:
    locks = _locks(shop, statement, "loose" if statement in KEYS else "host")
    mode, work = {**DDL, **NEWER, **KEYS}[statement]
    done = {lock.work for lock in locks}
    said = "rewrite" if Work.REWRITE in done else "scan" if done - {Work.BRIEF} else "brief"
    assert (_mode(locks), said) == (mode, work)


@pytest.mark.parametrize("statement", [*ROWS_TOO, *ALONE])
def test_rows_and_lone_statements(shop: Catalogue, statement: str) -> None:
    expected = {**ROWS_TOO, **ALONE}[statement]
    assert _mode(_locks(shop, statement, "host")) == expected


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_other_relations(shop: Catalogue, statement: str) -> None:
    relation, mode = ELSEWHERE[statement]
    assert _mode(_locks(shop, statement, relation)) == mode
