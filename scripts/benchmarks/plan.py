"""`scripts/bench plan`: fleets planned over a thousand releases, and a general graph search beside.

Timed is all that happens after the files are read: hosts to versions, the search, the waves with
their reasons. The peer, networkx, gets the whole graph of states of a small product, built by the
same law, and finds the shortest path in it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from benchmarks.measure import markdown, platform_line
from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.question import Node, Question
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts, StepFacts
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import state_at

HOSTS = (100, 1_000, 10_000, 100_000)
RELEASES = (125, 250, 500, 1_000)
REACHES = (1, 2, 5, 20, 100, 1_000)
POLICY = RolloutPolicy.DATABASE_FIRST


def releases(count: int, reach: int, *, rough: bool = False) -> list[ReleaseFacts]:
    """Releases whose windows reach back so many; each expands, and contracts the change before.

    A rough product has a hotfix after every tenth release, a ceiling on every 25th server's
    schemas, and withdraws every 40th release.
    """
    found = []
    for number in range(count):
        rough_here = rough and number % 10 == 9
        found.append(_release(number, 0, reach, day=10 * number, rough=rough))
        if rough_here:
            found.append(_release(number, 1, reach, day=10 * number + 15, rough=rough))
    return found


def _release(number: int, patch: int, reach: int, *, day: int, rough: bool) -> ReleaseFacts:
    version = Version(1, number, patch)
    # What is withdrawn does not count, as `skew` does not count it.
    skipped = sum(map(_is_withdrawn, range(max(0, number - reach), number))) if rough else 0
    oldest = Version(1, max(0, number - reach - skipped), 0)
    ceiling = number + 2 * reach if rough and number % 25 == 12 else None
    steps = [StepFacts(id=f"c{number}.expand", phase=Phase.EXPAND)]
    if number:
        steps.append(StepFacts(id=f"c{number - 1}.contract", phase=Phase.CONTRACT))
    return ReleaseFacts(
        version=version,
        date=date(1950, 1, 1) + timedelta(days=day),
        server=ServerHandshake(
            version=version, schemas=Window(number, ceiling), peers=Window(oldest)
        ),
        shard=ShardHandshake(schema=number, servers=Window(oldest)),
        steps=() if patch else tuple(steps),
        packaged=not patch,
        withdrawn="broken" if rough and not patch and _is_withdrawn(number) else None,
    )


def _is_withdrawn(number: int) -> bool:
    return number % 40 == 20


def fleet(chain: Chain, hosts: int) -> Fleet:
    """Hosts at the first and the second release, in turn, and eight shards."""
    state = state_at(chain, chain.places[Version(1, 1, 0)])
    assert state is not None
    return Fleet(
        tuple(
            Server(host=f"host{number:06d}", version=Version(1, number % 2, 0))
            for number in range(hosts)
        ),
        tuple(Shard(name=f"shard{number}", state=state) for number in range(8)),
    )


def planned(facts: Sequence[ReleaseFacts], hosts: int) -> tuple[float, Plan]:
    """Seconds for one plan to the last release, and the plan."""
    chain = Chain.of(facts)
    target = chain[len(chain) - 1].version
    standing = fleet(chain, hosts)
    start = time.perf_counter()
    # The chain and the fleet's order are part of it: both depend on what was read.
    chain = Chain.of(facts)
    standing = Fleet(standing.servers, standing.shards)
    plan = plan_rollout(chain, standing, target, POLICY)
    seconds = time.perf_counter() - start
    assert isinstance(plan, Plan), plan
    return seconds, plan


def median(runs: int, measure: Callable[[], tuple[float, Plan]]) -> tuple[float, Plan]:
    """The median of the runs, and the plan of the last."""
    figures = [measure() for _ in range(runs)]
    return statistics.median(seconds for seconds, _ in figures), figures[-1][1]


def growth(smaller: float, larger: float, times: float) -> str:
    """How much longer, against how much more there was."""
    return f"{larger / smaller:.2f} for {times:g} times as many"


def rows_by_hosts(runs: int) -> Iterator[tuple[str, ...]]:
    """1,000 releases, ever more hosts."""
    facts = releases(1_000, 20, rough=True)
    before = None
    for hosts in HOSTS:
        seconds, plan = median(runs, lambda hosts=hosts: planned(facts, hosts))  # type: ignore[misc]
        yield (
            f"{hosts:,}",
            f"{seconds:.3f}",
            str(len(plan.waves)),
            "" if before is None else growth(before, seconds, 10),
        )
        before = seconds


def rows_by_reach(runs: int) -> Iterator[tuple[str, ...]]:
    """1,000 releases and 10,000 hosts, windows from the narrowest to the widest."""
    for reach in REACHES:
        for rough in (False, True):
            facts = releases(1_000, reach, rough=rough)
            seconds, plan = median(runs, lambda facts=facts: planned(facts, 10_000))  # type: ignore[misc]
            yield (
                f"{reach:,}",
                "hotfixes, ceilings, withdrawn" if rough else "one line",
                f"{seconds:.3f}",
                str(len(plan.waves)),
            )


def rows_by_releases(runs: int) -> Iterator[tuple[str, ...]]:
    """10,000 hosts, ever more releases."""
    before = None
    for count in RELEASES:
        facts = releases(count, 20, rough=True)
        seconds, plan = median(runs, lambda facts=facts: planned(facts, 10_000))  # type: ignore[misc]
        yield (
            f"{count:,}",
            f"{seconds:.3f}",
            str(len(plan.waves)),
            "" if before is None else growth(before, seconds, 2),
        )
        before = seconds


def graph_search(facts: Sequence[ReleaseFacts]) -> tuple[float, float, int]:
    """Seconds to build the graph of states, seconds to search it, and the length found."""
    import networkx  # noqa: PLC0415

    chain = Chain.of(facts)
    target = chain[len(chain) - 1].version
    start = time.perf_counter()
    search = Search(Question.of(chain, fleet(chain, 100), target, POLICY))
    graph = networkx.DiGraph()
    graph.add_node(search.start)
    waiting: list[Node] = [search.start]
    while waiting:
        node = waiting.pop()
        for step in search.moves.of(node):
            if step.node not in graph:
                waiting.append(step.node)
            graph.add_edge(node, step.node)
    built = time.perf_counter()
    lengths = networkx.single_source_shortest_path_length(graph, search.start)
    least = min(length for node, length in lengths.items() if search.needed(node) == 0)
    return built - start, time.perf_counter() - built, least


def rows_of_peer(runs: int) -> Iterator[tuple[str, ...]]:
    """The same questions to both; the lengths must agree."""
    for count, reach in ((20, 5), (40, 5), (80, 5), (40, 20), (80, 20)):
        facts = releases(count, reach, rough=True)
        ours, plan = median(runs, lambda facts=facts: planned(facts, 100))  # type: ignore[misc]
        built, searched, least = graph_search(facts)
        assert least == len(plan.waves), (least, len(plan.waves))
        yield (
            str(count),
            str(reach),
            str(least),
            f"{ours:.4f}",
            f"{built:.3f}",
            f"{searched:.3f}",
            f"{(built + searched) / ours:.0f}",
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench plan` can be told."""
    parser.add_argument("--runs", type=int, default=5)


def main(options: argparse.Namespace) -> None:
    """The tables of `scripts/bench plan`."""
    runs = options.runs
    print(f"{platform_line()}, median of {runs} runs")
    rough = "windows that reach 20 releases back, hotfixes, ceilings, withdrawn releases"
    markdown(
        f"1,000 releases, {rough}",
        ("hosts", "seconds", "waves", "growth"),
        list(rows_by_hosts(runs)),
    )
    markdown(
        f"10,000 hosts, {rough}",
        ("releases", "seconds", "waves", "growth"),
        list(rows_by_releases(runs)),
    )
    markdown(
        "1,000 releases, 10,000 hosts",
        ("windows reach back", "product", "seconds", "waves"),
        list(rows_by_reach(runs)),
    )
    markdown(
        "Beside networkx on the whole graph of states, 100 hosts",
        ("releases", "reach", "waves", "Interlock (s)", "graph (s)", "search (s)", "times"),
        list(rows_of_peer(runs)),
    )
