"""The planner's stops are those that GitLab, Kubernetes, OpenStack and CockroachDB publish.

The facts come from the published rules, the expected stops from the published examples.
"""

from typing import Any

import pytest

from tests.real.tables import (
    cockroachdb,
    fleet,
    gitlab,
    kubernetes,
    openstack,
    table,
    version,
)  # fmt: skip
from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side

NAMES = ("gitlab", "openstack", "cockroachdb", "kubernetes")
CHAINS = {
    "gitlab": lambda: gitlab(several_nodes=True),
    "openstack": openstack,
    "cockroachdb": cockroachdb,
}


def planned(chain: Chain, start: str, end: str, policy: RolloutPolicy) -> Plan:
    plan = plan_rollout(chain, fleet(chain, version(start)), version(end), policy)
    assert isinstance(plan, Plan), plan
    return plan


def servers_of(plan: Plan) -> list[str]:
    return [
        str(wave.release).removesuffix(".0") for wave in plan.waves if wave.side is Side.SERVERS
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name in CHAINS for path in table(name)["paths"]],
    ids=lambda value: value if isinstance(value, str) else f"{value['from']}-{value['to']}",
)
def test_the_stops_are_the_published_ones(name: str, path: dict[str, Any]):
    plan = planned(CHAINS[name](), path["from"], path["to"], RolloutPolicy.DATABASE_FIRST)
    assert servers_of(plan) == path["stops"]
    for wave in plan.waves:
        assert (wave.next is None) or wave.reasons


def test_gitlab_with_one_web_node_does_not_stop_at_15_1():
    """The one difference to the example: 15.1 is required for several web nodes only."""
    (path, *_) = table("gitlab")["paths"]
    plan = planned(
        gitlab(several_nodes=False), path["from"], path["to"], RolloutPolicy.DATABASE_FIRST
    )
    assert servers_of(plan) == [stop for stop in path["stops"] if stop != "15.1"]


def test_cockroachdb_cannot_go_back_once_an_upgrade_is_finalised():
    plan = planned(cockroachdb(), "25.2", "25.4", RolloutPolicy.DATABASE_FIRST)
    assert [wave.side for wave in plan.waves] == [Side.SERVERS, Side.SHARDS]
    assert plan.point_of_no_return is plan.waves[1]


@pytest.mark.parametrize("path", table("kubernetes")["paths"], ids=lambda path: path["to"])
def test_kubernetes_goes_in_the_published_order(path: dict[str, Any]):
    plan = planned(kubernetes(), f"1.{path['from']}", f"1.{path['to']}", RolloutPolicy.ANY_ORDER)
    assert [[wave.side.value, wave.release.minor] for wave in plan.waves] == path["stops"]


def test_kubernetes_supports_the_published_pairs_and_no_others():
    chain = kubernetes()
    for example in table("kubernetes")["supported"]:
        servers = [chain.at(version(f"1.{minor}")).server for minor in example["servers"]]
        supported = [
            minor
            for minor in range(15, 40)
            if all(
                compatible(server, ShardHandshake(schema=minor, servers=chain[0].shard.servers))
                for server in servers
            )
        ]
        assert supported == example["kubelets"]
    for example in table("kubernetes")["peers"]:
        newest = chain.at(version(f"1.{example['newest']}")).server
        others = [
            facts.version.minor
            for facts in chain.releases
            if facts.version <= newest.version and peers_compatible(newest, facts.server)
        ]
        assert others == example["others"]


@pytest.mark.parametrize("name", NAMES)
def test_every_table_names_its_sources(name: str):
    facts = table(name)
    assert all(source.startswith("https://") for source in facts["sources"])
    assert facts["read"]
