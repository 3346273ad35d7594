"""Why a wave goes there and no further, as the sentences that its sign opens."""

from collections.abc import Iterator

from toolchain.model.change import Phase
from toolchain.model.origin import Origin
from toolchain.model.release import Product, Release
from toolchain.plan.rollout.telling.reasons import Refusal, at_line
from toolchain.plan.rollout.telling.waves import Part, Wave
from toolchain.plan.rollout.world.inventory import Side
from toolchain.render.figures.figure import Fact

_MOST = 4


def wave_facts(product: Product, wave: Wave) -> Iterator[Fact]:
    """Its window, what it does for good, and why its side rests there; of many facts the first."""
    yield _window(product.release(wave.release), wave)
    for version in wave.contracts[:_MOST]:
        release = product.release(version)
        yield Fact(
            sentence=f"What it does to the shards for {version} cannot be taken back.",
            origin=_for_good(release),
        )
    yield from _more(len(wave.contracts), "releases")
    if wave.next is None:
        return
    rest = f"The {wave.side.value} rest there before {wave.next}"
    if not wave.reasons:
        yield Fact(sentence=f"{rest}.")
    for refusal in wave.reasons[:_MOST]:
        yield Fact(sentence=f"{rest}: {bare(refusal)}.", origin=refusal.origin)
    yield from _more(len(wave.reasons), "facts")


def _window(release: Release, wave: Wave) -> Fact:
    """What the side fits once it is there."""
    if wave.side is Side.SERVERS:
        return Fact(
            sentence=f"Servers {release.version} run on schemas {release.server.schemas}.",
            origin=release.server.schemas_origin,
        )
    accept = "will accept" if wave.part is Part.PREPARE else "accept"
    return Fact(
        sentence=f"Shards at {release.version} {accept} servers {release.database.servers}.",
        origin=release.database.servers_origin,
    )


def _for_good(release: Release) -> Origin:
    """The first line that has no way back: a contract, or an expand without an undo."""
    steps = release.database.steps
    final = [step for step in steps if step.phase is Phase.CONTRACT]
    final += [step for step in steps if step.phase is Phase.EXPAND and step.undo is None]
    return final[0].origin if final else release.database.servers_origin


def _more(count: int, noun: str) -> Iterator[Fact]:
    if count > _MOST:
        yield Fact(sentence=f"It is the same with {count - _MOST} more {noun}.")


def bare(refusal: Refusal) -> str:
    """A refusal without its place, which stands beside it."""
    return refusal.sentence.replace(at_line(refusal.origin), "", 1)
