"""The release that would open a way where there is none: made up, and tried.

A repair is not argued for: the made-up release goes into the chain, and the search runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.question import Node, Question
from toolchain.plan.rollout.telling.reasons import Bar, Refusal
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts, StepFacts


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


def repair_of(question: Question, node: Node, refusals: Sequence[Refusal]) -> Repair | None:
    """The first release with which the search finds a way, or at least goes on."""
    return next(_repairs(question, node, refusals), None)


def _repairs(question: Question, node: Node, refusals: Sequence[Refusal]) -> Iterator[Repair]:
    chain, target = question.chain, question.chain[question.target].version
    for facts, sentence in _later(chain, question.target, refusals):
        yield from _tried(question, chain, facts, sentence, reaches=facts.version)
    proposals = list(_proposals(question, node, refusals))
    nearer = sorted({refusal.release for refusal in refusals} - {target})
    for goal in (target, *nearer):
        if chain.at(goal).withdrawn is None:
            for release, sentence in proposals:
                others = (facts for facts in chain.releases if facts.version != release.version)
                made_up = Chain.of([*others, release])
                yield from _tried(question, made_up, release, sentence, reaches=goal)


def _tried(
    question: Question, chain: Chain, release: ReleaseFacts, sentence: str, *, reaches: Version
) -> Iterator[Repair]:
    """The repair, where a chain with this release has a way."""
    asked = Question.of(chain, question.fleet, reaches, question.policy)
    steps = Search(asked).shortest()
    if steps:
        yield Repair(sentence=sentence, release=release.version, reaches=reaches, waves=len(steps))


def _later(
    chain: Chain, target: int, refusals: Sequence[Refusal]
) -> Iterator[tuple[ReleaseFacts, str]]:
    """Releases after the target that are there already and carry what it lacks."""
    lacking = {step for refusal in refusals for step in refusal.steps}
    for at in range(target + 1, len(chain)) if lacking else ():
        facts = chain[at]
        carried = {step.id for place in chain.history(at) for step in chain[place].steps}
        if facts.recommended and lacking <= carried:
            yield (
                facts,
                f"go to {facts.version} instead, which carries {', '.join(sorted(lacking))}",
            )


def _proposals(
    question: Question, node: Node, refusals: Sequence[Refusal]
) -> Iterator[tuple[ReleaseFacts, str]]:
    """Releases that may help, the least demanding first."""
    chain = question.chain
    if question.servers:
        yield from _bridges(question, node, refusals)
    for refusal in refusals:
        yield from _widened(chain, refusal)


def _bridges(
    question: Question, node: Node, refusals: Sequence[Refusal]
) -> Iterator[tuple[ReleaseFacts, str]]:
    """Releases on the way whose servers bear both what stands there now and what comes."""
    chain, floor = question.chain, question.chain[node.floor]
    schema = min((state.handshake.schema for state in node.shards), default=0)
    bases = [floor.version]
    for refusal in refusals:
        facts = chain.at(refusal.release)
        window = facts.server.peers if refusal.bar is Bar.PEERS else facts.shard.servers
        bases += [window.oldest, facts.version]
    for below in dict.fromkeys(bases):
        version = _free(chain, below)
        if version is None or not floor.version < version <= chain[question.target].version:
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
