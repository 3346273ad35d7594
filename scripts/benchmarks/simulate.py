"""`scripts/bench simulate`: fleets of several sizes, and every pair checked at a step beside.

Timed is the simulation itself, in a process of its own for each fleet. The peer is what an audit
would be that knows nothing of what a step has changed: the law asked, from a table, about every
server with every shard and with every other server. It is asked at some moments of the same run,
about the same fleet, and must find what the simulation found: nothing.
"""

import argparse
import multiprocessing
import resource
import signal
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measure import markdown, platform_line
from toolchain.build.product import open_product
from toolchain.simulate import rollouts
from toolchain.simulate.episode import Episode, Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.fleet import Fleet

REPOSITORY = Path(__file__).parents[2]
FLEETS = ((100, 10), (1_000, 100), (10_000, 1_000))
_CHUNK = 2_000


@dataclass(frozen=True)
class Measured:
    """Seconds of processor time: the run's, the planner's share, and each look at every pair."""

    steps: int
    seconds: float
    planning: float
    looks: tuple[float, ...]
    mib: float


class Clock:
    """Adds up the processor time of whatever it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same, timed."""

        def timed(*arguments: Any) -> Any:
            start = time.process_time()
            try:
                return act(*arguments)
            finally:
                self.seconds += time.process_time() - start

        return timed


def misfits(fleet: Fleet) -> int:
    """How many pairs that can reach each other do not fit, by a look at every one."""
    facts, found = fleet.facts, 0
    working = [
        (host.running, host.cut)
        for host in fleet.hosts.values()
        if host.running is not None and host.isolated is None
    ]
    for place, cut in working:
        for shard in fleet.shards.values():
            reached = shard.down is None and shard.name not in cut
            if reached and not facts.fits(place, shard.truth):
                found += 1
    pairs = combinations([place for place, _ in working], 2)
    return found + sum(not facts.fits_peer[one][other] for one, other in pairs)


def measure(product: Path, servers: int, shards: int, steps: int, looks: int) -> Measured:
    """One run of so many steps, with looks at every pair spread over it."""
    setting = Setting(facts=Facts(open_product(product).product), servers=servers, shards=shards)
    random = Random(1)  # noqa: S311  (the same chances each time)
    running, planning = Clock(), Clock()
    rollouts.plan_rollout = planning.around(rollouts.plan_rollout)
    brute: list[float] = []
    done = 0
    while done < steps:
        episode = Episode(setting, random)
        go, going = running.around(episode.run), True
        while going and (left := steps - done - episode.world.steps) > 0:
            going = go(min(left, _CHUNK))
            assert episode.illegal is None, episode.illegal
            at = done + episode.world.steps
            if len(brute) < looks and at * (looks + 1) >= steps * (len(brute) + 1):
                start = time.process_time()
                assert misfits(episode.world.fleet) == 0
                brute.append(time.process_time() - start)
        done += episode.world.steps
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(done, running.seconds, planning.seconds, tuple(brute), peak)


def leave_ctrl_c() -> None:
    """Let a process be ended by the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def row(servers: int, shards: int, measured: Measured) -> tuple[str, ...]:
    """A line of the table; the peer's time for a step is the median of its looks."""
    step = measured.seconds / measured.steps
    look = statistics.median(measured.looks)
    return (
        f"{servers:,} and {shards:,}",
        f"{measured.seconds:.1f}",
        f"{1 / step:,.0f}",
        f"{measured.planning / measured.seconds:.0%}",
        f"{measured.mib:.0f}",
        f"{1 / look:,.1f}",
        f"{look / step:,.0f}",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench simulate` can be told."""
    parser.add_argument("--product", type=Path, default=REPOSITORY / "release-specs/fleetdesk")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--looks", type=int, default=3, help="moments at which the peer is asked")


def main(options: argparse.Namespace) -> None:
    """The table of `scripts/bench simulate`."""
    rows = []
    # A fresh process for each fleet, so that the memory is its own.
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, initializer=leave_ctrl_c, maxtasksperchild=1) as pool:
        for servers, shards in FLEETS:
            asked = (options.product, servers, shards, options.steps, options.looks)
            rows.append(row(servers, shards, pool.apply(measure, asked)))
    print(f"{platform_line()}, {options.product.name}, seed 1, one process")
    markdown(
        f"{options.steps:,} steps, and every pair checked at each step",
        (
            "servers and shards", "seconds", "steps a second", "of that planning", "memory (MiB)",
            "steps a second, every pair", "times",
        ),
        rows,
    )  # fmt: skip
