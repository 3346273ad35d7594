"""`scripts/bench migrate`: the phase runner on a throw-away PostgreSQL.

A backfill against one statement and against batches by hand, on the same table; what the
application feels of it; a fleet of small databases. Whole processes are timed, their start
included; the median of the runs is reported.
"""

import argparse
import os

from benchmarks.backfill import backfill, backfill_package, fill
from benchmarks.cluster import SETTINGS, running_cluster
from benchmarks.fleet import fleet
from benchmarks.latency import latency
from benchmarks.measure import platform_line


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench migrate` can be told."""
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the backfill")
    parser.add_argument("--shards", type=int, default=200, help="databases of the fleet")
    parser.add_argument("--runs", type=int, default=1)


def main(options: argparse.Namespace) -> None:
    """The tables of `scripts/bench migrate`."""
    with running_cluster() as cluster:
        settings = ", ".join(
            f"{name} {SETTINGS[name]}" for name in ("shared_buffers", "max_wal_size")
        )
        runs = "one run" if options.runs == 1 else f"median of {options.runs} runs"
        print(
            f"{platform_line()} (load average {os.getloadavg()[0]:.1f}), {cluster.version},"
            f" {settings}, fsync on, {runs}",
            flush=True,
        )
        package = backfill_package(cluster.scratch / "package")
        database = cluster.create("application")
        fill(database, options.rows)
        backfill(cluster, database, package, options.rows, options.runs)
        latency(cluster, database, package, options.rows, options.runs)
        cluster.drop(database.name)
        fleet(cluster, package, options.shards, options.runs)
        print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}.")
