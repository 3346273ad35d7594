"""Public upgrade tables, transcribed as facts, and the chains that they make."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import yaml

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts, StepFacts
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import state_at

HERE = Path(__file__).parent


def table(name: str) -> dict[str, Any]:
    found = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    assert isinstance(found, dict)
    return found


def version(text: str) -> Version:
    return Version.parse(f"{text}.0")


def fleet(chain: Chain, at: Version) -> Fleet:
    """Three servers and two shards, all at one release."""
    state = state_at(chain, chain.places[at])
    assert state is not None
    return Fleet(
        tuple(Server(host=f"host{number}", version=at) for number in range(3)),
        tuple(Shard(name=f"shard{number}", state=state) for number in range(2)),
    )


def _release(
    number: int,
    name: Version,
    *,
    schemas: Window[int],
    peers: Version,
    servers: Version,
    contract: bool = False,
) -> ReleaseFacts:
    steps = [StepFacts(id=f"c{number}.expand", phase=Phase.EXPAND)]
    if contract:
        steps.append(StepFacts(id=f"c{number}.contract", phase=Phase.CONTRACT))
    return ReleaseFacts(
        version=name,
        date=date(2020, 1, 1) + timedelta(days=number),
        server=ServerHandshake(version=name, schemas=schemas, peers=Window(peers)),
        shard=ShardHandshake(schema=number, servers=Window(servers)),
        steps=tuple(steps),
    )


def _database_first(releases: Sequence[Version], back: Sequence[Version]) -> Chain:
    """Migrations before servers; every window reaches back to the same release."""
    return Chain.of(
        _release(at, name, schemas=Window(at), peers=oldest, servers=oldest)
        for at, (name, oldest) in enumerate(zip(releases, back, strict=True))
    )


def gitlab(*, several_nodes: bool) -> Chain:
    facts = table("gitlab")
    stops = {version(text) for text in facts["stops"]}
    if several_nodes:
        stops |= {version(text) for text in facts["several_nodes"]}
    releases = [
        version(f"{major}.{minor}")
        for major, last in sorted(facts["minors"].items())
        for minor in range(last + 1)
    ]
    back = [
        max((stop for stop in stops if stop < release), default=release) for release in releases
    ]
    return _database_first(releases, back)


def openstack() -> Chain:
    facts = table("openstack")
    releases = [version(text) for text in facts["releases"]]
    ticks = {version(text) for text in facts["ticks"]}
    ticked = list(accumulate(releases, lambda tick, after: after if after in ticks else tick))
    back = releases[:1] + [
        before if release in ticks else previous
        for (before, _), (previous, release) in zip(
            pairwise(ticked), pairwise(releases), strict=True
        )
    ]
    return _database_first(releases, back)


def cockroachdb() -> Chain:
    facts = {
        version(name): version(oldest) for name, oldest in table("cockroachdb")["from"].items()
    }
    places = {name: at for at, name in enumerate(sorted(facts))}
    return Chain.of(
        _release(
            at,
            name,
            schemas=Window(places[facts[name]], at + 1),
            peers=facts[name],
            servers=name,
            contract=True,
        )
        for name, at in places.items()
    )


def kubernetes() -> Chain:
    first, last = table("kubernetes")["minors"]

    def oldest(minor: int) -> int:
        """Three below, unless that one is a kubelet before 1.25."""
        return minor - 3 if minor - 3 >= 25 else minor - 2

    return Chain.of(
        _release(
            minor,
            version(f"1.{minor}"),
            schemas=Window(oldest(minor), minor + 1),
            peers=version(f"1.{minor - 1}"),
            servers=version("1.0"),
        )
        for minor in range(first, last + 1)
    )
