"""The release that would open a way where there is none: made up, and tried.

A repair is not argued for: the made-up release goes into the chain, and the search runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.facts import Chain, ReleaseFacts, StepFacts
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.reasons import Bar, Refusal
from toolchain.plan.rollout.search import Node, Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A release that would open a way: `sentence` says what it must be.

    `reaches` is the target, or a nearer release where another gap lies beyond it; `waves` is how
    many lead there.
    """

    sentence: str
    release: Version
    reaches: Version
    waves: int


def repair_of(
    search: Search,
    fleet: Fleet,
    policy: RolloutPolicy,
    node: Node,
    refusals: Sequence[Refusal],
) -> Repair | None:
    """The first made-up release with which the search finds a way, or at least goes on."""
    chain, target = search.chain, search.chain[search.target].version
    for facts, sentence in _later(chain, search.target, refusals):
        steps = Search(chain, fleet, facts.version, policy).shortest()
        if steps:
            reached = facts.version
            return Repair(sentence=sentence, release=reached, reaches=reached, waves=len(steps))
    proposals = list(_proposals(search, node, refusals))
    nearer = sorted({refusal.release for refusal in refusals} - {target})
    for goal in (target, *nearer):
        if chain.at(goal).withdrawn is not None:
            continue
        for release, sentence in proposals:
            others = [facts for facts in chain.releases if facts.version != release.version]
            steps = Search(Chain.of([*others, release]), fleet, goal, policy).shortest()
            if steps:
                return Repair(
                    sentence=sentence, release=release.version, reaches=goal, waves=len(steps)
                )
    return None


def _later(
    chain: Chain, target: int, refusals: Sequence[Refusal]
) -> Iterator[tuple[ReleaseFacts, str]]:
    """Releases after the target that are there already and carry what it lacks."""
    lacking = {step for refusal in refusals for step in refusal.steps}
    for at in range(target + 1, len(chain)) if lacking else ():
        facts = chain[at]
        carried = {step.id for place in chain.history(at) for step in chain[place].steps}
        if facts.withdrawn is None and facts.version.stage is None and lacking <= carried:
            yield (
                facts,
                f"go to {facts.version} instead, which carries {', '.join(sorted(lacking))}",
            )


def _proposals(
    search: Search, node: Node, refusals: Sequence[Refusal]
) -> Iterator[tuple[ReleaseFacts, str]]:
    """Releases that may help, the least demanding first."""
    chain = search.chain
    schema = min((state.handshake.schema for state in node.shards), default=0)
    if search.standing:
        floor = chain[node.floor]
        bridges = [floor.version]
        for refusal in refusals:
            facts = chain.at(refusal.release)
            oldest = facts.server.peers if refusal.bar is Bar.PEERS else facts.shard.servers
            bridges += [oldest.oldest, facts.version]
        for below in dict.fromkeys(bridges):
            version = _free(chain, below)
            if version is None or not floor.version < version <= chain[search.target].version:
                continue
            bridge = replace(
                floor,
                version=version,
                date=_date_before(chain, version),
                server=ServerHandshake(
                    version=version, schemas=Window(schema), peers=Window(floor.version)
                ),
                steps=(),
                packaged=False,
                withdrawn=None,
                origins=None,
            )
            yield (
                bridge,
                f"a release after {below}, {version} say, whose server runs on schemas >= {schema}"
                f" and works beside servers >= {floor.version}",
            )
    for refusal in refusals:
        yield from _widened(chain, refusal)


def _date_before(chain: Chain, version: Version) -> date:
    """The day of the release below a version: with it the made-up one is in every later history."""
    return next(facts for facts in reversed(chain.releases) if facts.version < version).date


def _free(chain: Chain, below: Version) -> Version | None:
    """A version right after another that no release has."""
    for patch in range(below.patch + 1, below.patch + 100):
        version = Version(below.major, below.minor, patch)
        if version not in chain.places:
            return version
    return None


def _widened(chain: Chain, refusal: Refusal) -> Iterator[tuple[ReleaseFacts, str]]:
    """The release that refuses, with a window that does not."""
    facts = chain.at(refusal.release)
    server, shard = facts.server, facts.shard
    match refusal.bar:
        case Bar.DATABASE:
            servers = _including(shard.servers, refusal.server)
            yield (
                replace(facts, shard=ShardHandshake(schema=shard.schema, servers=servers)),
                f"a database {facts.version} that accepts servers {servers}",
            )
        case Bar.SCHEMA:
            schemas = _reaching(server.schemas, refusal.schema)
            yield (
                replace(facts, server=replace(server, schemas=schemas)),
                f"a server {facts.version} that runs on schemas {schemas}",
            )
        case Bar.PEERS:
            peers = _including(server.peers, refusal.server)
            yield (
                replace(facts, server=replace(server, peers=peers)),
                f"a server {facts.version} that works beside servers {peers}",
            )
        case Bar.STEPS:
            carried = tuple(StepFacts(id=step, phase=Phase.EXPAND) for step in refusal.steps)
            yield (
                replace(facts, steps=(*facts.steps, *carried)),
                f"a database {facts.version} that carries {', '.join(refusal.steps)}",
            )


def _including(window: Window[Version], version: Version) -> Window[Version]:
    below = window.below if window.below is None or version < window.below else None
    return Window(min(window.oldest, version), below)


def _reaching(window: Window[int], schema: int) -> Window[int]:
    below = window.below if window.below is None or schema < window.below else None
    return Window(min(window.oldest, schema), below)
