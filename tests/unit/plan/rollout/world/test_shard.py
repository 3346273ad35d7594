"""The states of a shard on its way are those that the phase runner writes."""

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.rollouts import chains
from tests.unit.plan.rollout.samples import release
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts
from toolchain.plan.rollout.world.shard import ShardState, Stage, closed, made_ready, state_at
from toolchain.runner.core import law
from toolchain.runner.core.version import Versions
from toolchain.runner.ledger import walk
from toolchain.runner.ledger.manifest import Release


def of_runner(facts: ReleaseFacts) -> Release:
    window = facts.shard.servers
    return Release(
        version=str(facts.version),
        schema=facts.shard.schema,
        servers=Versions(str(window.oldest), None if window.below is None else str(window.below)),
        steps=(),
    )


def same(handshake: law.Handshake, state: ShardState) -> bool:
    window = state.handshake.servers
    below = None if window.below is None else str(window.below)
    return (handshake.schema, handshake.servers.oldest, handshake.servers.below) == (
        state.handshake.schema,
        str(window.oldest),
        below,
    )


@given(chains(), st.data())
def test_it_moves_as_the_runner_moves_it(chain: Chain, data: st.DataObject):
    line = [chain[at] for at in chain.history(len(chain) - 1)]
    first = of_runner(line[0])
    handshake = law.Handshake(0, first.servers)
    state = ShardState(
        release=line[0].version,
        stage=Stage.CLOSED,
        handshake=type(line[0].shard)(schema=0, servers=line[0].shard.servers),
    )
    for facts in line:
        handshake = walk.made_ready(handshake, of_runner(facts))
        state = ShardState(
            release=facts.version,
            stage=Stage.READY,
            handshake=made_ready(state.handshake, facts),
        )
        assert same(handshake, state)
        after = closed(state.handshake, facts)
        if after is None:
            return
        handshake = walk.closed(handshake, of_runner(facts))
        state = ShardState(release=facts.version, stage=Stage.CLOSED, handshake=after)
        assert same(handshake, state)


@given(chains())
def test_the_history_is_the_one_of_the_model(chain: Chain):
    from toolchain.model.history import history

    for at, facts in enumerate(chain.releases):
        known = tuple(chain[place] for place in chain.history(at))
        assert known == history(chain.releases, facts)


def test_a_release_without_a_package_leaves_a_shard_where_it_was():
    chain = Chain.of([release("1.0.0", 1, 1, "a.expand"), release("1.0.1", 2, 1, packaged=False)])
    assert state_at(chain, 1) == state_at(chain, 0)


def test_a_contract_that_would_leave_no_server_has_no_state():
    before = release("1.0.0", 1, 1, "a.expand", servers=">= 1.0.0")
    after = release("2.0.0", 2, 2, "b.expand", servers=">= 0.1.0, < 0.9.0")
    assert closed(made_ready(before.shard, after), after) is None
    assert made_ready(before.shard, after).servers == Window(before.version)
