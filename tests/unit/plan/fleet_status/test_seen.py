"""What a look at the shards amounts to: servers, progress, and who blocks whom."""

from datetime import UTC, datetime

import pytest

from tests.unit.plan.fleet_status.fleet import (
    AT_1_0,
    AT_1_1,
    AT_1_2,
    CHAIN,
    server,
    shard,
    step,
    unread,
)
from tests.unit.plan.rollout.samples import V
from toolchain.fleet.status import states_of
from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.window import Window, version_window
from toolchain.plan.fleet_status.blocked import Blocked, Kind
from toolchain.plan.fleet_status.onward import Onward, Way
from toolchain.plan.fleet_status.progress import Rates, State
from toolchain.plan.fleet_status.seen import Blocker, RunnerSeen, ShardSeen
from toolchain.plan.fleet_status.servers import Life, by_version
from toolchain.plan.fleet_status.status import FleetStatus, rates_between, status_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
RUNNER = RunnerSeen(pid=42, application="fleetdesk-database@db1")


def status(*seen: ShardSeen, to: str = "1.2.0", rates: Rates | None = None) -> FleetStatus:
    return status_of(
        "fleetdesk",
        NOW,
        seen,
        Onward(way=Way.UNKNOWN, target=V(to)),
        states=states_of(seen, CHAIN),
        chain=CHAIN,
        rates=rates or {},
    )


def blocked(found: FleetStatus, kind: Kind) -> list[Blocked]:
    return [one for one in found.blocked if one.kind is kind]


def test_a_server_is_one_whatever_many_shards_know_it():
    seen = status(
        shard("north", "1.1.0", server("web1", "1.0.0", age=9.0), server("web2", "1.1.0")),
        shard("south", "1.1.0", server("web1", "1.1.0", age=2.0)),
        unread("west", "has no ledger"),
    )
    one, two = seen.servers
    # In the middle of a restart the old is still true.
    assert (one.host, one.version, one.life, one.age) == ("web1", V("1.0.0"), Life.LIVE, 2.0)
    assert (one.shards, two.shards) == (("north", "south"), ("north",))
    assert not seen.whole


def test_expired_and_retired_servers_are_shown_and_only_the_expired_block():
    gone = server("old1", "1.0.0", live=False, age=700.0)
    retired = server("old2", "1.0.0", live=False, retired=True, age=90.0)
    seen = status(shard("north", "1.1.0", gone, retired, server("web1", "1.1.0")))
    assert [one.life for one in seen.servers] == [Life.EXPIRED, Life.RETIRED, Life.LIVE]
    newest, oldest = by_version(seen.servers)
    assert (newest.live, newest.youngest) == (1, 3.0)
    assert (oldest.live, oldest.expired, oldest.retired, oldest.oldest) == (0, 1, 1, None)
    (gate,) = blocked(seen, Kind.CONTRACT)
    assert [(one.host, one.live) for one in gate.servers] == [("old1", False)]


def test_an_expired_server_that_does_not_fit_is_a_misfit():
    narrow = ShardHandshake(schema=3, servers=version_window(">= 1.1.0"))
    steps = (*AT_1_2, step("mail.contract", "1.2.0"))
    gone = server("old1", "1.0.0", live=False, age=700.0)
    retired = server("old2", "1.0.0", live=False, retired=True)
    seen = status(shard("north", "1.2.0", gone, retired, handshake=narrow, steps=steps))
    (one,) = blocked(seen, Kind.MISFIT)
    assert [each.host for each in one.servers] == ["old1"]
    assert [each.misfits for each in seen.servers] == [("north",), ()]


def test_a_retired_server_that_another_shard_sees_expired_is_expired():
    retired = server("old1", "1.0.0", live=False, retired=True)
    expired = server("old1", "1.0.0", live=False)
    seen = status(shard("north", "1.1.0", retired), shard("south", "1.1.0", expired))
    assert [one.life for one in seen.servers] == [Life.EXPIRED]


def test_servers_block_the_first_gate_that_they_would_not_get_through():
    old = server("web1", "1.0.0")
    seen = status(
        shard("north", "1.1.0", old), shard("south", "1.1.0", old), shard("west", "1.1.0")
    )
    (one,) = blocked(seen, Kind.CONTRACT)
    assert (one.what, one.shards) == ("the contract of 1.2.0", ("north", "south"))
    assert [each.host for each in one.servers] == ["web1"]


def test_a_servers_ceiling_blocks_the_next_schema():
    low = server("web1", "1.1.0", schemas=Window(1, 3))
    (one,) = blocked(status(shard("north", "1.1.0", low)), Kind.SCHEMA)
    assert (one.what, one.shards) == ("schema 3 of 1.2.0", ("north",))


def test_a_live_server_that_does_not_fit_is_a_misfit_and_told_once():
    narrow = ShardHandshake(schema=3, servers=version_window(">= 1.1.0"))
    steps = (*AT_1_2, step("mail.contract", "1.2.0"))
    seen = status(
        shard("north", "1.2.0", server("web1", "1.0.0"), handshake=narrow, steps=steps),
    )
    (one,) = blocked(seen, Kind.MISFIT)
    assert (one.shards, one.servers[0].host) == (("north",), "web1")
    assert not blocked(seen, Kind.CONTRACT)
    assert seen.servers[0].misfits == ("north",)


def test_a_shard_and_older_servers_keep_releases_out():
    seen = status(shard("north", "1.0.0", server("web1", "1.0.0")), shard("south", "1.2.0"))
    first, second = blocked(seen, Kind.SERVERS)
    assert (first.what, first.shards, first.versions) == ("servers 1.1.0", ("north",), ())
    assert (second.what, second.shards) == ("servers 1.2.0", ("north",))
    assert second.versions == (V("1.0.0"),)
    assert second.reason.startswith("server 1.2.0 runs on schemas >= 3 (1.2.0.yaml:2), and a shard")


def test_a_waiting_runner_names_the_sessions_that_hold_the_lock():
    other = Blocker(pid=7, application="psql", user="eve", client=None, state="idle", age=3.0)
    waiting = RunnerSeen(pid=42, application="x", waits_for="account", blockers=(other,))
    (one,) = blocked(status(shard("north", "1.1.0", runner=waiting)), Kind.LOCK)
    assert (one.what, one.shards, one.sessions) == ("account", ("north",), (other,))


MOVING = step("mail.migrate", "1.1.0", "running", rows=600, seconds=3.0, estimate=1000)


@pytest.mark.parametrize(
    ("details", "state", "left"),
    [
        ({"runner": RUNNER}, State.RUNNING, 2.0),
        # The ledger says `running` still: whoever wrote it was killed.
        ({"runner": None}, State.STOPPED, None),
        ({"runner": None, "standby": True}, State.UNKNOWN, None),
    ],
)
def test_a_step_runs_only_while_somebody_holds_the_lock(details, state, left):  # type: ignore[no-untyped-def]
    steps = (*AT_1_0, step("mail.expand", "1.1.0"), MOVING)
    (found,) = status(shard("north", "1.0.0", steps=steps, **details)).shards
    (one,) = found.progress
    assert (one.state, one.fraction, one.rate, one.left) == (state, 0.6, 200.0, left)
    assert found.under_way is not None
    assert (found.under_way.release, found.under_way.phase) == (V("1.1.0"), Phase.MIGRATE)
    assert (found.under_way.done, found.under_way.total) == (1, 2)
    assert not found.complete


def test_an_estimate_is_never_taken_for_the_end():
    late = step("mail.migrate", "1.1.0", "running", rows=5000, seconds=3.0, estimate=1000)
    (found,) = status(shard("north", "1.0.0", steps=(*AT_1_0, late), runner=RUNNER)).shards
    assert found.progress[0].fraction == 0.99
    assert found.progress[0].left == 0


def test_a_second_look_measures_the_rate_with_its_rests():
    def look(rows: int) -> ShardSeen:
        moving = step("mail.migrate", "1.1.0", "running", rows=rows, seconds=3.0, estimate=1000)
        return shard("north", "1.0.0", steps=(*AT_1_0, moving), runner=RUNNER)

    before = status(look(600))
    rates = rates_between(before, (look(650),), 5.0)
    assert rates == {("north", "mail.migrate"): 10.0}
    assert status(look(650), rates=rates).shards[0].progress[0].left == 35.0
    # Undone and begun anew: nothing to compare.
    assert rates_between(before, (look(10),), 5.0) == {}


def test_a_contract_that_has_stopped_half_way_is_not_complete():
    narrow = ShardHandshake(schema=3, servers=version_window(">= 1.1.0"))
    steps = (*AT_1_2, step("mail.contract", "1.2.0", "running"))
    (found,) = status(
        shard("north", "1.2.0", handshake=narrow, closed=V("1.2.0"), steps=steps)
    ).shards
    assert (found.complete, found.contradiction) == (False, None)


def test_a_ledger_that_contradicts_the_specs_is_told_and_the_others_go_on():
    odd = ShardHandshake(schema=9, servers=version_window(">= 1.0.0"))
    seen = status(
        shard("north", "1.1.0", server("web1", "1.0.0"), handshake=odd),
        shard("south", "1.1.0", server("web1", "1.0.0")),
        shard("new", None),
    )
    north, south, new = seen.shards
    assert "says schema 9" in str(north.contradiction)
    assert "no release that is ready" in str(new.contradiction)
    assert south.contradiction is None
    assert blocked(seen, Kind.CONTRACT)[0].shards == ("south",)


def test_data_behind_a_ready_schema_is_still_to_be_moved():
    steps = (*AT_1_0, step("mail.expand", "1.1.0"))
    (found,) = status(shard("north", "1.1.0", steps=steps)).shards
    assert (found.to_move, found.complete) == (("mail.migrate",), False)
    (whole,) = status(shard("north", "1.1.0", steps=AT_1_1)).shards
    assert (whole.to_move, whole.complete) == ((), True)


def test_a_shard_has_a_ledger_or_a_problem():
    with pytest.raises(ValueError, match="either"):
        ShardSeen(name="north", ledger=None)
