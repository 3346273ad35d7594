"""A whole simulation: episode after episode, until the steps are used or a state is illegal."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from toolchain.simulate.audit import IllegalStateError
from toolchain.simulate.episode import Episode, Scene, Setting
from toolchain.simulate.shrink import is_illegal, is_late, replay, shrink
from toolchain.simulate.world import Tell

# Called with the steps that are done.
Progress = Callable[[int], None]

_CHUNK = 2_000
# How many services that went down are looked at, until one is found that a gate would have saved.
_TRIES = 200
# What a refusal sounds like, whichever gate says it.
REFUSALS = ("is refused by", "script refuses", "is blocked by", "does not start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A counterexample, as short as it gets: sentences in order, each with its second.

    `otherwise` is what is said with all gates and assumptions in place, None where none was taken
    away.
    """

    hosts: int
    shards: int
    commands: int
    sentences: tuple[tuple[int, str], ...]
    otherwise: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a simulation has come to; `seconds` is simulated time.

    `reached` is the illegal state that ended the run, `illegal` its story, shrunk. `late` is the
    story of a service that went down for want of a gate: an outage instead of a refusal.
    """

    steps: int
    episodes: int
    seconds: int
    outcomes: tuple[tuple[str, int], ...]
    reached: str | None
    illegal: Story | None
    late: Story | None


def simulate(
    setting: Setting,
    *,
    seed: int,
    steps: int,
    progress: Progress,
    tell: Callable[[int, int, str], None] | None = None,
) -> Result:
    """Run so many steps; `tell` hears of each episode's events, by its number and its second.

    Raises AuditError, a mistake of the simulation itself.
    """
    random = Random(seed)  # noqa: S311  (a simulation wants the same chances again)
    outcomes: Counter[str] = Counter()
    hunt = Hunt() if setting.without else None
    done = episodes = seconds = 0
    reached, illegal = None, None
    while done < steps and reached is None:
        episodes += 1
        number = episodes
        heard: Tell | None = None
        if tell is not None:
            heard = lambda second, line: tell(number, second, line)  # noqa: B023, E731
        episode = Episode(setting, random, tell=heard, late=None if hunt is None else hunt.late)
        going = True
        while going and done + episode.world.steps < steps:
            left = steps - done - episode.world.steps
            going = episode.run(min(left, _CHUNK))
            if hunt is not None:
                hunt.look()
            progress(done + episode.world.steps)
        done += episode.world.steps
        seconds += episode.world.now
        outcomes += episode.world.outcomes
        if episode.illegal is not None:
            reached, illegal = str(episode.illegal), _illegal(episode, episode.illegal)
    return Result(
        steps=done, episodes=episodes, seconds=seconds,
        outcomes=tuple(sorted(outcomes.items())),
        reached=reached, illegal=illegal, late=None if hunt is None else hunt.story,
    )  # fmt: skip


class Hunt:
    """Looks for a service that went down because of the missing gate."""

    def __init__(self) -> None:
        self._found: list[tuple[Scene, tuple[int, ...]]] = []
        self._tries = 0
        self.story: Story | None = None

    def late(self, episode: Episode, host: int, other: int | None) -> None:
        """A service went down, because of a shard or of another server."""
        if self.story is None and self._tries + len(self._found) < _TRIES:
            hosts = (host,) if other is None else (host, other)
            self._found.append((episode.scene(episode.world.now), hosts))

    def look(self) -> None:
        """Whether all gates would have saved one of those."""
        for scene, hosts in self._found:
            if self.story is None:
                self._tries += 1
                self.story = _story(shrink(scene, is_late, [(hosts, scene.shards)]))
        self._found.clear()


def _illegal(episode: Episode, error: IllegalStateError) -> Story | None:
    hosts = [name for name in (error.host, error.other) if name is not None]
    scene = episode.scene(episode.world.now)
    shards = scene.shards[:1] if error.shard is None else (error.shard,)
    every = scene.hosts, scene.shards
    return _story(shrink(scene, is_illegal, [(hosts, shards), (hosts, scene.shards), every]))


def _story(scene: Scene | None) -> Story | None:
    if scene is None:
        return None
    names = scene.setting.facts.names
    fleet = scene.world().fleet
    running = sum(host.running is not None for host in fleet.hosts.values())
    said = [f"{shard.ledger.handshake}" for shard in fleet.shards.values()][:1]
    told = [
        (
            0,
            f"of {len(fleet.hosts)} hosts {running} run server {names[scene.start]};"
            f" shards: {', each at '.join([str(len(fleet.shards)), *said])}",
        )
    ]
    error = replay(scene, lambda second, line: told.append((second, line)))
    if error is not None:
        told.append((told[-1][0], f"illegal: {error}"))
    kept: list[str] = []
    if scene.setting.without or scene.setting.lifted:
        replay(scene.whole, lambda _, line: kept.append(line))
    # Where the two part; a refusal that both know is not what was missing.
    known = {line for _, line in told}
    refusals = (line for line in kept if any(word in line for word in REFUSALS))
    parting = next((line for line in refusals if line not in known), None)
    return Story(
        hosts=len(scene.hosts),
        shards=len(scene.shards),
        commands=len(scene.events),
        sentences=tuple(told),
        otherwise=parting,
    )
