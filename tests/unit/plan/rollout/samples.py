"""Chains and fleets in a few words."""

from datetime import date

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import schema_window, version_window
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain, Origins, ReleaseFacts, StepFacts
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import Stage, state_at

V = Version.parse


def release(
    version: str,
    day: int,
    schema: int,
    *steps: str,
    schemas: str | None = None,
    peers: str = ">= 0.0.0",
    servers: str = ">= 0.0.0",
    packaged: bool = True,
    withdrawn: str | None = None,
    undoable: bool = True,
) -> ReleaseFacts:
    """A release; `steps` are `change.phase`, and its lines are numbered by its windows."""
    name = f"{version}.yaml"
    return ReleaseFacts(
        version=V(version),
        date=date(2026, 1, day),
        server=ServerHandshake(
            version=V(version),
            schemas=schema_window(schemas or f">= {schema}"),
            peers=version_window(peers),
        ),
        shard=ShardHandshake(schema=schema, servers=version_window(servers)),
        steps=tuple(
            StepFacts(id=step, phase=Phase(step.rpartition(".")[2]), undoable=undoable)
            for step in steps
        ),
        packaged=packaged,
        withdrawn=withdrawn,
        origins=Origins(
            release=Origin(file=name, line=1),
            schemas=Origin(file=name, line=2),
            peers=Origin(file=name, line=3),
            servers=Origin(file=name, line=4),
        ),
    )


def fleet(chain: Chain, servers: str, shards: str) -> Fleet:
    """Hosts web1, web2, … and shards s1, s2, …; a shard's `4.1.0?` waits for its contract."""
    found = []
    for at, text in enumerate(shards.split(), 1):
        stage = Stage.READY if text.endswith("?") else Stage.CLOSED
        state = state_at(chain, chain.places[V(text.rstrip("?"))], stage)
        assert state is not None
        found.append(Shard(name=f"s{at}", state=state))
    return Fleet(
        tuple(
            Server(host=f"web{at}", version=V(text)) for at, text in enumerate(servers.split(), 1)
        ),
        tuple(found),
    )


def planned(
    chain: Chain,
    standing: Fleet,
    target: str,
    policy: RolloutPolicy = RolloutPolicy.DATABASE_FIRST,
) -> Plan:
    answer = plan_rollout(chain, standing, V(target), policy)
    assert isinstance(answer, Plan), answer
    return answer


def excluded(chain: Chain, standing: Fleet, target: str) -> Exclusion:
    answer = plan_rollout(chain, standing, V(target), RolloutPolicy.DATABASE_FIRST)
    assert isinstance(answer, Exclusion), answer
    return answer


def told(plan: Plan) -> list[str]:
    """A plan in words: `shards 4.1.0 prepare`."""
    return [
        f"{wave.side.value} {wave.release}"
        + ("" if wave.part.value == "whole" else f" {wave.part.value}")
        for wave in plan.waves
    ]


# The history of a split table: expanded in 4.1, contracted in 4.2.
STORY = Chain.of(
    [
        release("4.0.0", 1, 11, "base.expand", peers=">= 4.0.0", servers=">= 4.0.0"),
        release("4.1.0", 2, 12, "split.expand", peers=">= 4.0.0", servers=">= 4.0.0"),
        release(
            "4.2.0", 3, 13, "split.contract", schemas=">= 12", peers=">= 4.1.0", servers=">= 4.1.0"
        ),
    ]
)
