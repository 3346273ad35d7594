"""The laws under servers that work at the same time, on hot rows.

INTERLOCK_LAWS_SECONDS sets how long each stretch of a run lasts.
"""

import os

import pytest

from tests.postgres.conftest import Database
from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import CASES
from tests.postgres.laws.stress import Stress

BEAT = float(os.environ.get("INTERLOCK_LAWS_SECONDS", "0.4"))


# Writers of one row that rows of others share something with would not know what they left there.
ALONE = [case for case in CASES if case.group == 1]


@pytest.mark.parametrize("case", ALONE, ids=str)
def test_stress(case: Case, shard: Database) -> None:
    tally = Stress(case=case, dsn=shard.dsn, beat=BEAT).run()
    assert sum(tally.committed.values()) > 100
