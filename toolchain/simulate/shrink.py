"""From a long run to the smallest story: delta debugging over what came to the fleet from outside.

The fleet is made smaller first, since each host that goes takes its events along; then events go,
in ever smaller parts, as long as the outcome stays (Zeller and Hildebrandt, "Simplifying and
Isolating Failure-Inducing Input", 2002).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from toolchain.simulate.audit import IllegalStateError
from toolchain.simulate.commands import (
    Apply,
    ClockJump,
    Clone,
    Cut,
    Event,
    Outage,
    Restore,
    RunnerKilled,
    Undo,
)
from toolchain.simulate.episode import Scene
from toolchain.simulate.world import Late, Tell

Part = TypeVar("Part")
Shows = Callable[[Scene], bool]


def is_illegal(scene: Scene) -> bool:
    """Whether a scene reaches an illegal state that what was taken away would have kept out."""
    if replay(scene) is None:
        return False
    setting = scene.setting
    return not (setting.without or setting.lifted) or replay(scene.whole) is None


def is_late(scene: Scene) -> bool:
    """Whether a service goes down that all gates together would have kept up."""
    return _is_late(scene) and not _is_late(scene.whole)


def _is_late(scene: Scene) -> bool:
    found: list[int] = []
    replay(scene, late=lambda host, _: found.append(host))
    return bool(found)


def replay(
    scene: Scene, tell: Tell | None = None, late: Late | None = None
) -> IllegalStateError | None:
    """See a scene again, to its end or to an illegal state."""
    world = scene.world(tell=tell, late=late)
    try:
        while (due := world.due()) is not None and due <= scene.until:
            world.step()
    except IllegalStateError as error:
        return error
    return None


def shrink(
    scene: Scene, shows: Shows, parts: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> Scene | None:
    """The smallest scene that still shows what this one does; None where a replay does not.

    `parts` are the hosts and shards to try with, the fewest first: most often an outcome needs no
    others than it names.
    """
    tried = (_restricted(scene, hosts, shards) for hosts, shards in parts)
    smaller = next(filter(shows, tried), None)
    if smaller is None:
        return None
    before = None
    while smaller != before:
        before = smaller
        smaller = _smaller(smaller, shows)
    return smaller


def _smaller(scene: Scene, shows: Shows) -> Scene:
    # Without any shard nobody would be known to anybody, which no gate is meant for.
    shards = _fewest(
        scene.shards, lambda kept: bool(kept) and shows(_restricted(scene, scene.hosts, kept))
    )
    few = _restricted(scene, scene.hosts, shards)
    hosts = _fewest(few.hosts, lambda kept: shows(_restricted(few, kept, few.shards)))
    few = _restricted(few, hosts, few.shards)
    events = _fewest(few.events, lambda kept: shows(replace(few, events=tuple(kept))))
    return replace(few, events=tuple(events))


def _restricted(scene: Scene, hosts: Sequence[int], shards: Sequence[int]) -> Scene:
    """The scene with these hosts and shards, and what came to them."""
    some, few = frozenset(hosts), frozenset(shards)

    def stays(event: Event) -> bool:
        match event[1]:
            case Cut(host=host, shard=shard):
                return host in some and (shard is None or shard in few)
            case Outage(shard=shard) | ClockJump(shard=shard):
                return shard is None or shard in few
            case (
                Apply(shard=shard)
                | Undo(shard=shard)
                | Restore(shard=shard)
                | RunnerKilled(shard=shard)
            ):
                return shard in few
            case Clone(host=host, original=original):
                return host in some and original in some
            case command:
                return command.host in some

    events = tuple(filter(stays, scene.events))
    return replace(scene, hosts=tuple(hosts), shards=tuple(shards), events=events)


def _fewest(parts: Sequence[Part], holds: Callable[[Sequence[Part]], bool]) -> Sequence[Part]:
    """Parts none of which can be left out, while `holds` is true of those that are left."""
    size = max(len(parts) // 2, 1)
    while parts:
        at = 0
        while at < len(parts):
            left = [*parts[:at], *parts[at + size :]]
            if holds(left):
                parts = left
            else:
                at += size
        if size == 1:
            break
        size = max(size // 2, 1)
    return parts
