"""The expand of a split of a big table, by the runner itself, while servers write to it."""

import time
from dataclasses import dataclass

from benchmarks.cluster import Cluster
from benchmarks.package import Step, write_package
from benchmarks.sync.forms import OLD
from benchmarks.sync.race import Course
from benchmarks.sync.schema import fill
from benchmarks.sync.workload import Servers
from toolchain.refactor.phases import Phases

# Servers that leave the machine some time: those that take it all would only slow down the start of
# a Python process.
RATE = 1000
WARM_UP_SECONDS = 3.0
LONGEST_SECONDS = 600.0
FORGET = "DROP SCHEMA interlock CASCADE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """Seconds of each run of `apply`, from its start to its end, with the new form ready.

    `alone` is an `apply` that has nothing to do, `sql` the expand without any runner.
    """

    rows: int
    seconds: tuple[float, ...]
    alone: float
    sql: float


def expand(cluster: Cluster, phases: Phases, course: Course, rows: int, runs: int) -> Expanded:
    """Expand and undo a few times, while servers write."""
    assert phases.expand.undo is not None
    database = cluster.create("expand")
    fill(database, rows)
    package = write_package(
        cluster.scratch / "expand", Step(phase="expand", sql=phases.expand.sql.rstrip("\n;"))
    )
    servers = Servers(
        cluster=cluster,
        database=database,
        forms=(OLD, OLD),
        shares=course.shares,
        synchronous_commit=course.synchronous_commit,
        rate=RATE,
    )
    seconds = []
    alone = 0.0
    shards = {"expand": database.dsn}
    with servers.working(LONGEST_SECONDS):
        for run in range(runs):
            time.sleep(WARM_UP_SECONDS)
            seconds.append(package.apply(shards).seconds)
            database.row("SELECT count(*) FROM public.host_hardware WHERE host_id <= 10")
            if run == 0:
                alone = package.apply(shards).seconds
            database.execute(phases.expand.undo, FORGET)
        began = time.perf_counter()
        database.execute(phases.expand.sql)
        sql = time.perf_counter() - began
    cluster.drop(database.name)
    return Expanded(rows=rows, seconds=tuple(seconds), alone=alone, sql=sql)
