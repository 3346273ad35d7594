"""The laws where one statement waits for another, pair by pair; and where triggers write again."""

import pytest

from tests.postgres.conftest import Database
from tests.postgres.laws.again import write_again
from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import CASES
from tests.postgres.laws.waiting import wait_for_each_other


@pytest.mark.parametrize("case", CASES, ids=str)
def test_waiting(case: Case, shard: Database) -> None:
    wait_for_each_other(case, shard.dsn)


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_trigger_writes_again(case: Case, first: bool, shard: Database) -> None:
    write_again(case, shard.dsn, first=first)
