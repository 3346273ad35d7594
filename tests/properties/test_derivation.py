"""Derived windows are those that brute force finds, and no half-way state makes them false."""

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.properties.chains import chains, moments, works
from toolchain.matrix.chain import FormChain, Held, form_chain
from toolchain.matrix.derivation import Derivation
from toolchain.model.change import Form, Phase
from toolchain.model.history import history, parents, reach
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window

several = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def after(chain: FormChain, at: int):
    """What really is in a shard once all phases up to a link have run."""
    *_, last = moments(chain, at)
    return last


@several
@given(chains)
def test_parents_and_histories_are_one(chain: FormChain):
    above = parents(chain.links)
    for at, link in enumerate(chain.links):
        *before, own = history(chain.links, link)
        assert own is link
        assert (before[-1] if before else None) == (
            None if above[at] is None else chain.links[above[at]]
        )


@several
@given(chains)
def test_the_widest_window_of_schemas_is_that_of_brute_force(chain: FormChain):
    for at, link in enumerate(chain.links):
        known = [place for place, one in enumerate(chain.links) if one.date <= link.date]
        needed = {change for change in chain.changes if chain.form(at, change) is Form.NEW}
        fitting = [
            number
            for number in sorted({chain.links[place].schema for place in known})
            if all(
                needed <= after(chain, place).new
                for place in known
                if chain.links[place].schema >= number
            )
        ]
        assert Derivation(chain).schemas(at).oldest == (fitting[0] if fitting else None)


@several
@given(chains)
def test_the_widest_window_of_servers_is_that_of_brute_force(chain: FormChain):
    for at, link in enumerate(chain.links):
        known = [place for place, one in enumerate(chain.links) if one.date <= link.date]
        gone = after(chain, at).gone
        fitting = [
            chain.links[first].version
            for first in known
            if all(
                chain.form(place, change) is not Form.OLD
                for place in known
                if chain.links[place].version >= chain.links[first].version
                for change in gone
            )
        ]
        assert Derivation(chain).servers(at).oldest == (fitting[0] if fitting else None)


@several
@given(chains, st.data())
def test_an_obstacle_under_a_ceiling_is_the_last_one(chain: FormChain, data: st.DataObject):
    at = data.draw(st.integers(0, len(chain.links) - 1))
    below = data.draw(st.integers(0, chain.links[-1].schema + 1))
    needed = {change for change in chain.changes if chain.form(at, change) is Form.NEW}
    lacking = [
        link.schema
        for place, link in enumerate(chain.links)
        if link.schema < below and not needed <= after(chain, place).new
    ]
    found = Derivation(chain).schema_obstacle(at, below)
    assert (found.point if found else None) == max(lacking, default=None)


def windows(chain: FormChain) -> list[tuple[Window[int], Window[Version]]] | None:
    """The derived windows; None where a release has none, or a later release makes one false."""
    derivation = Derivation(chain)
    found = []
    for at in range(len(chain.links)):
        schemas, servers = derivation.schemas(at).oldest, derivation.servers(at).oldest
        if schemas is None or servers is None:
            return None
        lacking, removed = derivation.schema_obstacle(at), derivation.server_obstacle(at)
        if (lacking and lacking.point >= schemas) or (removed and removed.point >= servers):
            return None
        found.append((Window(schemas), Window(servers)))
    return found


@several
@given(chains)
def test_whatever_the_law_lets_run_works_at_every_moment(chain: FormChain):
    """The handshake is what the runner writes: the schema when ready, the servers when shut."""
    derived = windows(chain)
    assume(derived is not None)
    assert derived is not None
    first = derived[0][1]
    for at in range(len(chain.links)):
        for moment in moments(chain, at):
            past = history(chain.links, chain.links[at])
            places = [place for place, link in enumerate(chain.links) if link in past]
            shut = [place for place in places if moment.shut is not None and place <= moment.shut]
            shard = ShardHandshake(
                schema=0 if moment.ready is None else chain.links[moment.ready].schema,
                servers=Window(
                    max((derived[place][1].oldest for place in shut), default=first.oldest)
                ),
            )
            for number, link in enumerate(chain.links):
                server = ServerHandshake(
                    version=link.version, schemas=derived[number][0], peers=Window(Version(0, 0, 0))
                )
                if compatible(server, shard):
                    assert works(chain.forms[number], chain.changes, moment)


@several
@given(chains)
def test_any_order_asks_for_both_as_long_as_an_old_shard_is_in_reach(chain: FormChain):
    """By hand for each server: what it uses where its spec is silent."""
    for policy in RolloutPolicy:
        for skew in (0, 1, 2):
            again = form_chain(chain.links, policy, skew)
            for at, link in enumerate(again.links):
                met = reach(again.links, link, skew) if policy is RolloutPolicy.ANY_ORDER else ()
                for change in again.held[at].expanded - set(link.forms):
                    ready = change in again.held[at].ready
                    everywhere = all(
                        change in again.held[again.links.index(past)].ready for past in met
                    )
                    expected = Form.OLD if not ready else Form.NEW if everywhere else Form.BOTH
                    assert again.form(at, change) is expected


@several
@given(chains)
def test_what_is_held_is_what_a_replay_leaves(chain: FormChain):
    for at, held in enumerate(chain.held):
        last = after(chain, at)
        expanded = {
            one.change
            for past in history(chain.links, chain.links[at])
            for one in past.steps
            if one.phase is Phase.EXPAND
        }
        assert held == Held(expanded=frozenset(expanded), ready=last.new, contracted=last.gone)
