"""What a channel offers, as a chain of releases that a rollout can be planned on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from toolchain.model.release import Product, RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.packaged_handshake import read_handshake
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts, chain_of
from toolchain.publish.record import Record
from toolchain.publish.state import State


def releases(records: Sequence[Record]) -> dict[Version, list[Record]]:
    """Packages by their release, oldest first; packages of other names are left out."""
    found: dict[Version, list[Record]] = {}
    for record in records:
        if record.release is not None:
            found.setdefault(Version.parse(record.release), []).append(record)
    return dict(sorted(found.items()))


def offered_chain(
    state: State, channel: str, product: Product | None, *, without: frozenset[Version]
) -> Chain:
    """The chain of all that was ever published, where only what a channel offers can be a stop.

    Releases that it does not offer stay on the way: a later database package carries their steps.
    Packages tell neither dates nor steps, so without the specs each release counts as built upon
    the version before it.
    """
    offered = frozenset(releases(state.channels.members(channel))) - without
    facts = {} if product is None else {one.version: one for one in chain_of(product).releases}
    day = date.min
    # Specs of old releases may be gone; what was published of them is known.
    for version, records in releases(state.packages.everything()).items():
        one = facts.setdefault(version, replace(_facts(records), date=day))
        day = max(day, one.date)
    return Chain.of(
        replace(one, withdrawn=None if version in offered else f"not in {channel}")
        for version, one in facts.items()
    )


def customers_at(state: State, channel: str) -> tuple[Version, ...]:
    """The releases that customers may run: all that a channel ever offered and did not withdraw."""
    withdrawn = state.channels.withdrawals(channel)
    ever = releases(state.channels.offered_ever(channel))
    return tuple(version for version in ever if str(version) not in withdrawn)


def policies(product: Product | None) -> tuple[RolloutPolicy, ...]:
    """The policies that a rollout may follow; packages don't say, specs do."""
    return tuple(RolloutPolicy) if product is None else (product.rollout,)


def _facts(records: Sequence[Record]) -> ReleaseFacts:
    handshake = next(one.file.handshake for one in records if one.file.handshake is not None)
    _, server, shard = read_handshake(json.loads(handshake))
    return ReleaseFacts(
        version=server.version,
        date=date.min,
        server=server,
        shard=shard,
        packaged=any(one.file.name.endswith("-database") for one in records),
    )
