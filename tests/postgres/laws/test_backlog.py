"""A migration ends while servers work."""

import pytest

from tests.postgres.conftest import Database
from tests.postgres.laws.backlog import work_off
from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import CASES

WITH_FINISH = [
    case for case in CASES if case.phases.migrate and case.phases.migrate.finish and case.group == 1
]


@pytest.mark.parametrize("case", WITH_FINISH, ids=str)
def test_backlog(case: Case, shard: Database) -> None:
    work_off(case, shard.dsn)
