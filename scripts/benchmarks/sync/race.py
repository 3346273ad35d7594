"""Contestants in turn, round by round, so that what else the machine does meets all alike."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from benchmarks.cluster import Cluster
from benchmarks.sync.contestants import ALONE, ALONE_AGAIN, PARTED, Contestant, Entry, Stage
from benchmarks.sync.schema import fill
from benchmarks.sync.verdict import Verdict, keep, lost_updates, stray_rows
from benchmarks.sync.workload import Servers, Work

TEMPLATE = "filled"


@dataclass(slots=True, kw_only=True)
class Result:
    """What one contestant did in all rounds, and how its database looked afterwards."""

    contestant: Contestant
    # The first round makes room beside each hot row, and is not measured.
    warm_up: Work | None = None
    works: list[Work] = field(default_factory=list)
    verdict: Verdict | None = None
    copy_ended_early: bool = False

    @property
    def tps(self) -> float:
        """Transactions a second, the median of the rounds."""
        return statistics.median(work.tps for work in self.works)

    @property
    def all_works(self) -> tuple[Work, ...]:
        """Those of the warm-up too."""
        return (*self.works, *((self.warm_up,) if self.warm_up else ()))

    @property
    def deadlocks(self) -> int:
        """Of all rounds."""
        return sum(work.deadlocks for work in self.all_works)

    @property
    def serialization_failures(self) -> int:
        """Of all rounds."""
        return sum(work.serialization_failures for work in self.all_works)

    @property
    def cpu(self) -> float:
        """CPU microseconds a transaction, the median of the rounds."""
        return statistics.median(work.cpu for work in self.works)

    def against(self, other: "Result") -> float:
        """The median of the ratios to another contestant, round by round, by the clock."""
        return statistics.median(
            ours.tps / theirs.tps for ours, theirs in zip(self.works, other.works, strict=True)
        )

    def cpu_against(self, other: "Result") -> float:
        """The same by CPU time, which other work on the machine disturbs less; more is cheaper."""
        return statistics.median(
            theirs.cpu / ours.cpu for ours, theirs in zip(self.works, other.works, strict=True)
        )


def one_form(results: Mapping[str, Result]) -> Result:
    """The two that differ in nothing, taken together round by round: what all are held against."""
    both = [results[key] for key in (ALONE, ALONE_AGAIN) if key in results]
    works = [
        Work(
            committed={
                kind: sum(work.committed[kind] for work in same_round)
                for kind in same_round[0].committed
            },
            tps=statistics.mean(work.tps for work in same_round),
            cpu_seconds=sum(work.cpu_seconds for work in same_round),
        )
        for same_round in zip(*(result.works for result in both), strict=True)
    ]
    return Result(contestant=both[0].contestant, works=works)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How long, on what and at what the contestants race."""

    shares: Mapping[str, int]
    rows: int
    rounds: int
    seconds: float
    synchronous_commit: str


def race(cluster: Cluster, contestants: Sequence[Contestant], course: Course) -> dict[str, Result]:
    """Let all race, then look at what they left; results by key."""
    fill(cluster.create(TEMPLATE), course.rows)
    entries = []
    for number, contestant in enumerate(contestants):
        entry = Entry(
            contestant=contestant, database=cluster.create(f"race_{number}", template=TEMPLATE)
        )
        entry.set_up()
        entries.append(entry)
    results = [Result(contestant=entry.contestant) for entry in entries]
    for entry, result in zip(entries, results, strict=True):
        result.warm_up = _one_round(cluster, entry, course)
    racing = list(zip(entries, results, strict=True))
    for number in range(course.rounds):
        # Each round begins with another one: who comes when should not matter either.
        first = number % len(racing)
        for entry, result in racing[first:] + racing[:first]:
            result.works.append(_one_round(cluster, entry, course))
    for entry, result in zip(entries, results, strict=True):
        moving = entry.contestant.stage is Stage.MOVING
        result.copy_ended_early = moving and entry.copy is not None and entry.copy.ended
        committed = sum(work.counted for work in result.all_works)
        result.verdict = judge(entry, committed)
        cluster.drop(entry.database.name)
    cluster.drop(TEMPLATE)
    return {result.contestant.key: result for result in results}


def _one_round(cluster: Cluster, entry: Entry, course: Course) -> Work:
    # Whatever was written before is on disk, and is not written in this one's time.
    entry.database.execute("CHECKPOINT")
    servers = Servers(
        cluster=cluster,
        database=entry.database,
        forms=entry.contestant.forms,
        shares=course.shares,
        synchronous_commit=course.synchronous_commit,
    )
    copying = entry.copy is not None and entry.contestant.stage is Stage.MOVING
    with entry.copy.running() if copying and entry.copy is not None else nullcontext():
        return servers.work(course.seconds)


def judge(entry: Entry, committed: int) -> Verdict:
    """Count what is lost and what strays, after all that is left of the change has been done."""
    contestant, database = entry.contestant, entry.database
    if contestant.stage is Stage.EXPANDED:
        entry.begin()
    if contestant.stage in (Stage.EXPANDED, Stage.MOVING):
        entry.finish()
    lost = lost_updates(database, contestant.sides, committed)
    strays = 0
    if len(contestant.sides) == 2:
        strays = stray_rows(database, *contestant.sides)
    if contestant.phases is not None and contestant.stage is not Stage.CONTRACTED:
        kept = keep(database, contestant.sides[0])
        entry.contract()
        lost = max(lost, lost_updates(database, (PARTED,), committed))
        strays = max(strays, stray_rows(database, kept, PARTED))
    return Verdict(lost_updates=lost, stray_rows=strays)
