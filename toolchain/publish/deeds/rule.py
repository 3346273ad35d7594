"""A rule of pruning: what a channel keeps, what has to stay for that, and what goes."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.errors import UsageError
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.repository.stops import needed, stranded
from toolchain.publish.offered import customers_at, offered_chain, policies, releases
from toolchain.publish.record import Record
from toolchain.publish.state import State

_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is kept for its own sake; whatever any part of the rule keeps is kept.

    `newest` counts releases, `since` is the first to keep of all, `days` how long ago a release
    came into the channel at the most. `plans` are releases that rollout plans name, with the plan.
    `supported` is the oldest release that customers may still run; None where they may run any.
    """

    newest: int | None = None
    since: Version | None = None
    days: int | None = None
    supported: Version | None = None
    plans: tuple[tuple[Version, str], ...] = ()

    def __post_init__(self) -> None:
        if self.newest is None and self.since is None and self.days is None:
            raise UsageError("a rule says what is kept", "give --keep, --keep-from or --keep-days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What a rule means for a channel: why each release stays, which go, and who is left behind.

    `left_behind` are releases whose fleets then have no way to the newest any more.
    """

    stays: tuple[tuple[Version, str], ...]
    goes: tuple[Version, ...]
    left_behind: tuple[Version, ...]


def plan_pruning(
    state: State, channel: str, rule: Rule, *, now: int, product: Product | None
) -> Pruning:
    """Apply a rule to a channel; nothing is changed."""
    offered = releases(state.channels.members(channel))
    chain = offered_chain(state, channel, product, without=frozenset())
    reasons = dict(_kept(state, channel, rule, offered, now))
    customers = customers_at(state, channel)
    supported = [one for one in customers if rule.supported is None or one >= rule.supported]
    stops = needed(chain, reasons, policies(product), installed=supported)
    for version, need in stops.items():
        if version in offered:
            reasons[version] = str(need)
    goes = tuple(version for version in offered if version not in reasons)
    after = offered_chain(state, channel, product, without=frozenset(goes))
    # What all others need stays.
    lost = stranded(chain, after, [one for one in customers if one not in supported])
    return Pruning(
        stays=tuple((version, reasons[version]) for version in offered if version in reasons),
        goes=goes,
        left_behind=tuple(dict.fromkeys(start for start, _ in lost)),
    )


def _kept(
    state: State,
    channel: str,
    rule: Rule,
    offered: dict[Version, list[Record]],
    now: int,
) -> Iterator[tuple[Version, str]]:
    versions = tuple(offered)
    final = [version for version in versions if version.stage is None]
    newest = {one[-1] for one in (versions, final) if one}
    last = versions[-rule.newest :] if rule.newest else ()
    plans = dict(rule.plans)
    for version, records in offered.items():
        added = max(state.channels.added(channel, record) for record in records)
        if version in plans:
            yield version, f"the plan {plans[version]} goes there"
        elif version in newest:
            yield version, "it is the newest"
        elif version in last:
            yield version, f"it is among the newest {rule.newest}"
        elif rule.since is not None and version >= rule.since:
            yield version, f"it is {rule.since} or later"
        elif rule.days is not None and added > now - rule.days * _DAY:
            yield version, f"it came within {rule.days} days"
