"""The states that solvers are asked about are those of the planner and the runner, and no other."""

from hypothesis import given

from tests.properties.rollouts import chains
from tests.unit.plan.rollout.samples import release
from toolchain.model.law import ShardHandshake
from toolchain.model.window import version_window
from toolchain.plan.rollout.search.fits import Fits
from toolchain.plan.rollout.search.walks import Walks
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts
from toolchain.plan.rollout.world.shard import Stage, state_at
from toolchain.verify.states import line_of, shard_states


def told(states: tuple[ShardHandshake, ...]) -> list[str]:
    return [f"{state.schema} {state.servers}" for state in states]


def said(*releases: ReleaseFacts) -> list[str]:
    """The states that are known from handshakes alone."""
    return told(shard_states(line_of({one.version: (one.server, one.shard) for one in releases})))


def test_a_shard_is_ready_before_it_contracts():
    old = release("1.0.0", 1, 10, servers=">= 1.0.0")
    new = release("1.1.0", 2, 11, servers=">= 1.1.0")
    assert said(new, old) == ["10 >= 1.0.0", "11 >= 1.0.0", "11 >= 1.1.0"]
    assert told(shard_states(Chain.of([old, new]))) == said(old, new)


def test_the_wider_ceiling_holds_until_the_contract_and_the_schema_never_sinks():
    old = release("1.0.0", 1, 10, servers=">= 1.0.0, < 1.2.0")
    new = release("1.1.0", 2, 9, servers=">= 1.1.0, < 1.4.0")
    assert said(old, new) == [
        "10 >= 1.0.0, < 1.2.0",
        "10 >= 1.0.0, < 1.4.0",
        "10 >= 1.1.0, < 1.4.0",
    ]


def branched(*also: str) -> Chain:
    """1.0.1 is a hotfix, dated after 1.1.0; `also` are steps that 1.2.0 has again."""
    return Chain.of(
        [
            release("1.0.0", 1, 10, "a.expand", servers=">= 1.0.0"),
            release("1.0.1", 3, 11, "h.expand", servers=">= 1.0.1"),
            release("1.1.0", 2, 12, "b.expand", servers=">= 1.0.0"),
            release("1.2.0", 4, 13, "c.expand", *also, servers=">= 1.0.0"),
        ]
    )


def test_a_shard_passes_no_hotfix_of_another_branch():
    """In version order it would seem to come from 1.0.1, which 1.1.0 was not built upon."""
    states = told(shard_states(branched()))
    assert states == [
        *("10 >= 1.0.0", "11 >= 1.0.0", "11 >= 1.0.1"),
        *("12 >= 1.0.0", "13 >= 1.0.0"),
    ]


def test_a_shard_on_a_hotfix_goes_on_to_what_has_its_steps():
    states = told(shard_states(branched("h.expand")))
    assert {"12 >= 1.0.1", "13 >= 1.0.1"} <= set(states)


def test_a_contract_that_leaves_no_server_is_the_end():
    chain = Chain.of(
        [
            release("1.0.0", 1, 10, servers=">= 1.0.0"),
            release("2.0.0", 2, 11, servers=">= 0.1.0, < 0.9.0"),
            release("3.0.0", 3, 12, servers=">= 1.0.0"),
        ]
    )
    assert told(shard_states(chain)) == ["10 >= 1.0.0", "11 >= 1.0.0"]


def test_a_release_without_a_database_package_leaves_shards_where_they_are():
    chain = Chain.of(
        [
            release("1.0.0", 1, 10, servers=">= 1.0.0"),
            release("1.1.0", 2, 12, servers=">= 1.1.0", packaged=False),
            release("1.2.0", 3, 12, servers=">= 1.0.0"),
        ]
    )
    assert shard_states(chain) == (
        ShardHandshake(schema=10, servers=version_window(">= 1.0.0")),
        ShardHandshake(schema=12, servers=version_window(">= 1.0.0")),
    )


@given(chains())
def test_wherever_the_planner_brings_a_shard_the_solvers_are_asked_about_it(chain: Chain):
    known = set(shard_states(chain))
    walks = Walks(chain, Fits(chain), len(chain) - 1)
    first = (
        state_at(chain, at, stage)
        for at, facts in enumerate(chain.releases)
        if facts.packaged and not any(chain[before].packaged for before in chain.history(at)[:-1])
        for stage in Stage
    )
    waiting = [state for state in first if state is not None]
    seen = set(waiting)
    while waiting:
        state = waiting.pop()
        assert state.handshake in known
        reached = {stop.state for stop in walks.stops(state, ()).values()}
        waiting += reached - seen
        seen |= reached
