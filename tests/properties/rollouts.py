"""Generated chains and fleets, and a planner so plain that it can be trusted: it tries everything.

The plain planner knows hosts and shards one by one and moves them one by one, through every half
state. It shares the law with the real planner, and nothing else of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import permutations

from hypothesis import strategies as st

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible, peers_compatible
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts, StepFacts
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import ShardState, Stage, state_at

DAY = date(2026, 1, 1)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """A main line of releases, perhaps with hotfixes, pre-releases and ones that are withdrawn."""
    releases: list[ReleaseFacts] = []
    schema = 1
    for number in range(draw(st.sampled_from([2, 3, 4, 5, 6, 6, 7]))):
        steps: tuple[StepFacts, ...] = ()
        if number == 0 or draw(st.integers(0, 3)):
            schema += 1
            steps = (
                StepFacts(id=f"c{number}.expand", phase=Phase.EXPAND, undoable=draw(st.booleans())),
            )
            if number and draw(st.booleans()):
                steps += (StepFacts(id=f"c{number - 1}.contract", phase=Phase.CONTRACT),)
        stage = "rc" if number and not draw(st.integers(0, 6)) else None
        version = Version(1, number, 0, stage, 1 if stage else 0)
        releases.append(
            _release(draw, version, DAY + timedelta(days=10 * number), schema, steps, releases)
        )
        if stage and draw(st.integers(0, 3)):
            # The final one; its database may be that of the pre-release.
            day = DAY + timedelta(days=10 * number + 5)
            releases.append(_release(draw, Version(1, number, 0), day, schema, (), releases))
    for number in range(len(releases) - 1):
        if draw(st.integers(0, 4)) == 0:
            base = releases[number]
            after = draw(st.integers(number + 1, len(releases) - 1))
            carried = tuple(
                step for facts in releases[number + 1 :] for step in facts.steps
                if step.phase is Phase.EXPAND
            )  # fmt: skip
            steps = ()
            if carried and draw(st.booleans()):
                steps = (draw(st.sampled_from(carried)),)
            elif draw(st.integers(0, 3)) == 0:
                steps = (StepFacts(id=f"h{number}.expand", phase=Phase.EXPAND),)
            releases.append(
                _release(
                    draw,
                    Version(1, base.version.minor, 2 if base.version.stage else 1),
                    releases[after].date + timedelta(days=1),
                    base.shard.schema + bool(steps),
                    steps,
                    [facts for facts in releases if facts.version <= base.version],
                )
            )
    return Chain.of(draw(st.permutations(releases)))


def _release(
    draw: st.DrawFn,
    version: Version,
    day: date,
    schema: int,
    steps: tuple[StepFacts, ...],
    before: list[ReleaseFacts],
) -> ReleaseFacts:
    versions = [facts.version for facts in before] + [version]
    near = versions[-draw(st.sampled_from([2, 3, 3, 4, 1])) :]

    def ceiling() -> Version | None:
        return Version(1, version.minor + draw(st.integers(1, 3)), 0) if _rare(draw) else None

    oldest = max(0, schema - draw(st.sampled_from([1, 2, 0, 3])))
    return ReleaseFacts(
        version=version,
        date=day,
        server=ServerHandshake(
            version=version,
            schemas=Window(oldest, schema + draw(st.integers(1, 3)) if _rare(draw) else None),
            peers=Window(draw(st.sampled_from(near[:2])), ceiling()),
        ),
        shard=ShardHandshake(
            schema=schema, servers=Window(draw(st.sampled_from(near[:2])), ceiling())
        ),
        steps=steps,
        packaged=bool(steps) or not before or draw(st.booleans()),
        withdrawn="broken" if before and _rare(draw) else None,
    )


def _rare(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 5)) == 0


@st.composite
def fleets(draw: st.DrawFn, chain: Chain) -> Fleet:
    """A few servers and shards, wherever they may stand; not always in a legal state."""
    low = draw(st.sampled_from([0, 0, 0, 1, 2, len(chain) - 1])) % len(chain)
    near = [low, min(low + draw(st.integers(0, 2)), len(chain) - 1)]
    servers = [
        Server(host=f"web{at}", version=chain[draw(st.sampled_from(near))].version)
        for at in range(draw(st.integers(0, 3)))
    ]
    shards = []
    for at in range(draw(st.integers(0 if servers else 1, 2))):
        state = state_at(chain, draw(st.sampled_from(near)), draw(st.sampled_from(list(Stage))))
        if state is not None:
            shards.append(Shard(name=f"shard{at}", state=state))
    return Fleet(tuple(draw(st.permutations(servers))), tuple(draw(st.permutations(shards))))


@dataclass(frozen=True)
class World:
    """Every host with its version, every shard with its state."""

    servers: tuple[Version, ...]
    shards: tuple[ShardState, ...]


def world_of(fleet: Fleet) -> World:
    return World(
        tuple(server.version for server in fleet.servers),
        tuple(shard.state for shard in fleet.shards),
    )


def legal(chain: Chain, world: World) -> bool:
    """The law, between every server and every shard, and between every two servers."""
    servers = [chain.at(version).server for version in world.servers]
    return all(
        compatible(server, shard.handshake) for server in servers for shard in world.shards
    ) and all(peers_compatible(one, other) for one in servers for other in servers)


def past(chain: Chain, version: Version) -> list[ReleaseFacts]:
    """The history by its definition: backwards, each dated no later than the one after it."""
    found = [chain.at(version)]
    for facts in reversed(chain.releases):
        if facts.version < found[-1].version and facts.date <= found[-1].date:
            found.append(facts)
    return found[::-1]


def path(
    chain: Chain, state: ShardState, release: Version, stage: Stage
) -> list[ShardState] | None:
    """The states of a shard on its way to a goal; None where it cannot go there."""
    line = past(chain, release)
    own = past(chain, state.release)
    run = {
        step.id
        for facts in own
        for step in facts.steps
        if facts is not own[-1] or state.stage is Stage.CLOSED or step.phase is not Phase.CONTRACT
    }
    if not run <= {step.id for facts in line for step in facts.steps}:
        return None
    states: list[ShardState] = []
    now = state
    for facts in line:
        if facts.version < now.release or not facts.packaged:
            continue
        if facts.version == now.release and now.stage is Stage.CLOSED:
            continue
        if facts.version != now.release:
            below = [now.handshake.servers.below, facts.shard.servers.below]
            now = ShardState(
                release=facts.version,
                stage=Stage.READY,
                handshake=ShardHandshake(
                    schema=max(now.handshake.schema, facts.shard.schema),
                    servers=Window(
                        now.handshake.servers.oldest,
                        None if None in below else max(b for b in below if b is not None),
                    ),
                ),
            )
            states.append(now)
            if (facts.version, stage) == (release, Stage.READY):
                break
        oldest = max(now.handshake.servers.oldest, facts.shard.servers.oldest)
        ceiling = facts.shard.servers.below
        if ceiling is not None and ceiling <= oldest:
            return None
        window = Window(oldest, ceiling)
        handshake = ShardHandshake(schema=now.handshake.schema, servers=window)
        now = ShardState(release=facts.version, stage=Stage.CLOSED, handshake=handshake)
        states.append(now)
    return states if states and states[-1].release == release else None


def settled(chain: Chain, state: ShardState) -> ShardState:
    """A state whose contract has nothing to do is one whose contract is done."""
    facts = chain.at(state.release)
    same = (
        max(state.handshake.servers.oldest, facts.shard.servers.oldest),
        facts.shard.servers.below,
    ) == (state.handshake.servers.oldest, state.handshake.servers.below)
    if same and not facts.of(Phase.CONTRACT):
        return replace(state, stage=Stage.CLOSED)
    return state


def wave(chain: Chain, world: World, side: str, release: Version, stage: Stage) -> World | None:
    """The world after a wave; None where one of its intermediate states is not legal."""
    if side == "servers":
        below = [at for at, version in enumerate(world.servers) if version < release]
        # Messages and caches outlive the server that wrote them, be it the only one.
        new = chain.at(release).server
        if not below or not all(
            peers_compatible(new, chain.at(world.servers[at]).server) for at in below
        ):
            return None
        for order in permutations(below):
            now = world
            for at in order:
                now = replace(now, servers=(*now.servers[:at], release, *now.servers[at + 1 :]))
                if not legal(chain, now):
                    return None
        return now
    below = [
        at
        for at, state in enumerate(world.shards)
        if (state.release, state.stage) < (release, stage)
    ]
    if not below:
        return None
    for order in permutations(below):
        now = world
        for at in order:
            states = path(chain, world.shards[at], release, stage)
            if states is None:
                return None
            for state in states:
                shards = (*now.shards[:at], settled(chain, state), *now.shards[at + 1 :])
                now = replace(now, shards=shards)
                if not legal(chain, now):
                    return None
    return now


def waves(chain: Chain, world: World, target: Version) -> Iterator[World]:
    """Every world that one wave leads to."""
    ends = {target} | {facts.version for facts in chain.releases if _final(facts)}
    databases = {database(chain, version) for version in ends}
    for facts in chain.releases:
        if facts.version > target:
            continue
        if facts.version in ends:
            after = wave(chain, world, "servers", facts.version, Stage.CLOSED)
            if after is not None:
                yield after
        if facts.version in databases:
            for stage in Stage:
                after = wave(chain, world, "shards", facts.version, stage)
                if after is not None:
                    yield after


def _final(facts: ReleaseFacts) -> bool:
    return facts.withdrawn is None and facts.version.stage is None


def database(chain: Chain, target: Version) -> Version | None:
    return next(
        (f.version for f in reversed(past(chain, target)) if f.packaged and f.withdrawn is None),
        None,
    )


def arrived(chain: Chain, world: World, target: Version) -> bool:
    goal = database(chain, target)
    return all(version >= target for version in world.servers) and (
        goal is None
        or all((state.release, state.stage) >= (goal, Stage.CLOSED) for state in world.shards)
    )


def fewest(chain: Chain, fleet: Fleet, target: Version) -> int | None:
    """The least number of waves, found by trying all; None when there is no way."""
    reached = {world_of(fleet)}
    level = 0
    newest = set(reached)
    while newest:
        if any(arrived(chain, world, target) for world in newest):
            return level
        newest = {after for world in newest for after in waves(chain, world, target)} - reached
        reached |= newest
        level += 1
    return None
