"""The laws under generated histories of servers and the runner, one case after another.

INTERLOCK_LAWS_EXAMPLES sets how many histories a case gets; then they are new ones in each run.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres.conftest import Database
from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import CASES
from tests.postgres.laws.machine import machine

WISHED = os.environ.get("INTERLOCK_LAWS_EXAMPLES")
HISTORIES = settings(
    max_examples=int(WISHED or 15),
    stateful_step_count=40,
    derandomize=WISHED is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_histories(case: Case, shard: Database) -> None:
    run_state_machine_as_test(machine(case, shard.dsn), settings=HISTORIES)
