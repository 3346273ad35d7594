"""`scripts/bench sync`: what it reads from pgbench and from the server's log, and how it judges."""

import importlib
import sys
from typing import Any

import pytest

from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))

contestants = importlib.import_module("benchmarks.sync.contestants")
copying = importlib.import_module("benchmarks.sync.copying")
forms = importlib.import_module("benchmarks.sync.forms")
goals = importlib.import_module("benchmarks.sync.goals")
race = importlib.import_module("benchmarks.sync.race")
verdict = importlib.import_module("benchmarks.sync.verdict")
workload = importlib.import_module("benchmarks.sync.workload")

MANY = """\
pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: multiple scripts
number of transactions actually processed: 3000
number of failed transactions: 0 (0.000%)
number of transactions retried: 3 (0.100%)
total number of retries: 5
latency average = 0.400 ms
initial connection time = 4.000 ms
tps = 1498.250000 (without initial connection time)
SQL script 1: /scripts/look.sql
 - weight: 60 (targets 60.0% of total)
 - 1800 transactions (60.0% of total, tps = 898.950000)
 - number of failed transactions: 0 (0.000%)
SQL script 2: /scripts/count.sql
 - weight: 40 (targets 40.0% of total)
 - 1200 transactions (40.0% of total, tps = 599.300000)
 - number of failed transactions: 0 (0.000%)
"""
ONE = "".join(
    f"{line}\n" for line in MANY.splitlines() if "cript" not in line and " - " not in line
)
LOG = """\
race_1 40P01 ERROR:  deadlock detected
race_1 40P01 DETAIL:  Process 1 waits for ShareLock on transaction 2; blocked by process 3.
race_1 40001 ERROR:  could not serialize access
race_10 40P01 ERROR:  deadlock detected
race_1 40001 STATEMENT:  UPDATE host SET name = '
race_1 40001 ERROR:  could not serialize access
 00000 LOG:  checkpoint complete
"""


def test_pgbench_with_several_scripts_counts_each():
    work = workload.parse(MANY, ["look", "count"])
    assert work.committed == {"look": 1800, "count": 1200}
    assert work.tps == 1498.25


def test_pgbench_with_one_script_counts_it_in_all():
    assert workload.parse(ONE, ["count"]).committed == {"count": 3000}


def test_a_transaction_that_was_given_up_ends_the_benchmark():
    with pytest.raises(SystemExit, match="cannot be understood"):
        workload.parse(MANY.replace("failed transactions: 0", "failed transactions: 1"), ["a", "b"])


def test_both_counting_kinds_count():
    committed = {"look": 10, "look-count": 3, "count": 4}
    assert workload.Work(committed=committed, tps=1.0).counted == 7


def test_failures_are_those_of_one_database_and_one_code():
    assert workload.failures(LOG, "race_1", workload.DEADLOCK) == 1
    # The third is the statement's own text, of which no line can begin like that.
    assert workload.failures(LOG, "race_1", workload.SERIALIZATION_FAILURE) == 2


@pytest.mark.parametrize("mix", sorted(forms.MIXES))
def test_a_mix_has_a_script_for_each_share_of_a_hundred(mix: str):
    assert sum(forms.MIXES[mix].values()) == 100
    for form in (forms.OLD, forms.NEW, forms.DUAL, forms.DUAL_ONE_READ):
        assert set(forms.MIXES[mix]) <= set(form.scripts())


def test_dual_writes_keep_one_order():
    count = forms.DUAL.scripts()["count"]
    assert count.index("UPDATE host ") < count.index("UPDATE host_hardware ")


def test_a_batch_gets_its_keys_and_no_other_number():
    assert copying.with_keys("BETWEEN $1 AND $2 OR $10", (3, 8)) == (
        "BETWEEN 3::bigint AND 8::bigint OR $10"
    )


def _result(key: str, tps: list[float], **more: Any) -> Any:
    contestant = contestants.Contestant(
        key=key, name=key, forms=(forms.OLD, forms.NEW), sides=(contestants.WIDE,)
    )
    works = [
        workload.Work(committed={"count": 1000}, tps=each, cpu_seconds=1000 / each, **more)
        for each in tps
    ]
    return race.Result(
        contestant=contestant,
        works=works,
        verdict=verdict.Verdict(lost_updates=0, stray_rows=0),
    )


def test_ratios_are_taken_round_by_round():
    # A machine that was busy for one round: the medians would say 20 to 10.
    one, other = _result("one", [10.0, 20.0, 40.0]), _result("other", [10.0, 10.0, 30.0])
    assert one.against(other) == pytest.approx(4 / 3)


def test_deadlocks_of_the_warm_up_count():
    result = _result("one", [10.0, 20.0], deadlocks=2)
    result.warm_up = workload.Work(committed={"count": 1}, tps=1.0, deadlocks=5)
    assert result.deadlocks == 9


@pytest.fixture
def results() -> dict[str, Any]:
    """All goals met."""
    speeds = {"alone": 100.0, "dual": 40.0, "copy-filling": 45.0, "copy-filled": 50.0}
    every = (*contestants.others(), *contestants.interlock())
    return {
        each.key: _result(each.key, [speeds.get(each.key, 99.0)], deadlocks=each.key == "after")
        for each in every
    }


def _missed(results: dict[str, Any], seconds: float = 0.3) -> list[str]:
    expanded = goals.Expanded(rows=10, seconds=(0.2, seconds), alone=0.1, sql=0.01)
    return [goal.goal for goal in goals.goals(results, expanded) if not goal.met]


def test_all_goals_can_be_met(results: dict[str, Any]):
    assert _missed(results) == []


def test_each_goal_can_be_missed(results: dict[str, Any]):
    results["view"] = _result("view", [79.0], deadlocks=1)
    results["copy-filled"] = _result("copy-filled", [39.0])
    results["view-moving"].verdict = verdict.Verdict(lost_updates=1, stray_rows=0)
    assert len(_missed(results, seconds=1.5)) == 6


def test_no_deadlock_anywhere_proves_nothing(results: dict[str, Any]):
    results["after"] = _result("after", [9.0])
    assert len(_missed(results)) == 1
