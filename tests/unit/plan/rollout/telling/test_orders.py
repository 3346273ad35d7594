"""What an engine is told for a plan: what is for good stands alone, and hosts are those of shards."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from toolchain.build.product import open_product
from toolchain.model.version import Version
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.orders import Orders, orders_of
from toolchain.plan.rollout.telling.pins import pins_of
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import Stage, state_at

PRODUCT = open_product(Path(REPOSITORY, "release-specs/fleetdesk")).product
CHAIN = chain_of(PRODUCT)


def orders(servers: dict[str, str], shards: dict[str, str], target: str, **hosts: str) -> Orders:
    """The orders for servers and shards by name; a shard at `4.1.0!` waits for its contract."""
    found = []
    for name, release in shards.items():
        place = CHAIN.places[Version.parse(release.rstrip("!"))]
        state = state_at(CHAIN, place, Stage.READY if release.endswith("!") else Stage.CLOSED)
        assert state is not None
        found.append(Shard(name=name, state=state, host=hosts.get(name)))
    hosted = (Server(host=host, version=Version.parse(at)) for host, at in servers.items())
    fleet = Fleet(tuple(hosted), tuple(found))
    plan = plan_rollout(CHAIN, fleet, Version.parse(target), PRODUCT.rollout)
    assert isinstance(plan, Plan)
    return orders_of(plan, PRODUCT, CHAIN)


def told(found: Orders) -> list[tuple[int, str, str, str, bool]]:
    return [
        (play.wave, play.side.value, str(play.release), play.phase.value, bool(play.contracts))
        for play in found.plays
    ]


def test_a_contract_is_a_play_of_its_own():
    found = orders({"web": "4.0.0"}, {"north": "4.0.0"}, "4.2.0")
    assert told(found) == [
        (1, "shards", "4.1.0", "migrate", False),
        (2, "servers", "4.1.1", "contract", False),
        (3, "servers", "4.2.0", "contract", False),
        (4, "shards", "4.2.0", "contract", True),
    ]
    assert [str(each) for each in found.plays[-1].contracts] == ["4.1.0", "4.2.0"]
    assert [play.last for play in found.plays] == [False, False, True, False]


def test_what_leads_to_a_contract_comes_before_the_yes():
    found = orders({}, {"north": "4.0.0", "south": "4.1.0!"}, "4.1.0")
    assert told(found) == [
        (1, "shards", "4.1.0", "migrate", False),
        (1, "shards", "4.1.0", "contract", True),
    ]


def test_shards_stand_with_the_host_that_runs_their_phases():
    hosts = {"north": "db1", "south": "db1"}
    found = orders({}, {"north": "4.0.0", "south": "4.0.0", "east": "4.0.0"}, "4.1.0", **hosts)
    assert found.runners["db1"][1] == ("north", "south")
    assert found.plays[0].hosts == ("db1", "east")


def test_two_instances_are_one_host():
    found = orders({"web/a": "4.0.0", "web/b": "4.1.0"}, {"north": "4.1.0!"}, "4.1.0")
    assert found.servers == ("web",)
    assert found.plays[0].hosts == ("web",)


@pytest.mark.parametrize("wave", [1, 2, 3])
def test_pins_are_those_of_this_wave_and_the_ones_before(wave: int):
    pins = pins_of(orders({"web": "4.0.0"}, {"north": "4.0.0"}, "4.2.0"))[wave].pins
    assert pins["web"] == {"fleetdesk-server": ["", "4.1.1-1", "4.2.0-1", "4.2.0-1"][wave]}
    assert pins["north"] == {"fleetdesk-database": "4.2.0-1" if wave == 3 else "4.1.0-1"}
