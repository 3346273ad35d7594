"""The laws under one transaction that is open while the runner goes on, systematically."""

import pytest

from tests.postgres.conftest import Database
from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import CASES
from tests.postgres.laws.in_flight import flights, fly


@pytest.mark.parametrize("shard", ["oldest"], indirect=True)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_in_flight(case: Case, shard: Database) -> None:
    for flight in flights(case):
        fly(case, shard.dsn, flight)
