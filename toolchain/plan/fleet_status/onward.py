"""What may be done next: the first wave of the plan from where the fleet is, and its commands."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from toolchain.model.release import Format, Product
from toolchain.model.version import Version
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.standing import Unfit
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave
from toolchain.plan.rollout.world.inventory import Side


class Way(Enum):
    """Whether there is a next wave."""

    WAVE = "wave"
    DONE = "done"
    NO_WAY = "no way"
    NOT_LEGAL = "not legal"
    UNKNOWN = "unknown"  # no specs, a shard that was not read, a ledger that contradicts the specs


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, as an argument vector, and on which hosts."""

    where: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """The next wave of `waves`, or why there is none: `reasons` are sentences without full stop."""

    way: Way
    target: Version | None
    wave: Wave | None = None
    waves: int = 0
    commands: tuple[Command, ...] = ()
    reasons: tuple[str, ...] = ()


def onward(
    product: Product, target: Version, answer: Plan | Exclusion | tuple[Unfit, ...]
) -> Onward:
    """What a planner's answer means for whoever looks on."""
    if isinstance(answer, Exclusion):
        facts = tuple(f"{side.value}: {refusal.sentence}" for side, refusal in answer.refusals)
        return Onward(way=Way.NO_WAY, target=target, reasons=facts)
    if not isinstance(answer, Plan):
        facts = tuple(dict.fromkeys(pair.refusal.sentence for pair in answer))
        return Onward(way=Way.NOT_LEGAL, target=target, reasons=facts)
    if not answer.waves:
        return Onward(way=Way.DONE, target=target)
    first = answer.waves[0]
    return Onward(
        way=Way.WAVE,
        target=target,
        wave=first,
        waves=len(answer.waves),
        commands=tuple(_commands(product, answer, first)),
        reasons=tuple(refusal.sentence for refusal in first.reasons),
    )


def _commands(product: Product, plan: Plan, wave: Wave) -> Iterator[Command]:
    if wave.side is Side.SHARDS:
        where = f"the host of {product.database_package}"
        yield from _install(product, product.database_package, wave.release, where)
        names = sorted(name for move in wave.moves for name in move.names)
        chosen = () if len(names) == len(plan.fleet.shards) else names
        phase = ("--phase", "contract") if wave.part is not Part.PREPARE else ()
        to = ("--to", str(wave.release))
        only = tuple(word for name in chosen for word in ("--shard", name))
        yield Command(
            where=where,
            argv=(product.database_package, "apply", *to, *phase, *only),
        )
        return
    where = "each of these hosts, one after another"
    if any(release.server.services for release in product.releases):
        # Its solver hears of shards that moved by a timer; asked at once, it lets the server in.
        yield Command(where=where, argv=(product.server_package, "sync"))
    yield from _install(product, product.server_package, wave.release, where)


def _install(product: Product, package: str, version: Version, where: str) -> Iterator[Command]:
    """The exact version, by the package manager of each format that the product is built for."""
    numbered = f"{version.packaged}-{product.release(version).revision}"
    for form in sorted({target.format for target in product.targets}, key=lambda one: one.value):
        match form:
            case Format.DEB:
                yield Command(where=where, argv=("apt-get", "install", f"{package}={numbered}"))
            case Format.RPM:
                yield Command(where=where, argv=("dnf", "install", f"{package}-{numbered}"))
