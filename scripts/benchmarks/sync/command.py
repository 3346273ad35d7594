"""`scripts/bench sync`: what two forms of a split table cost its writers, and what they lose.

Two servers of four clients (pgbench) work on hot rows of a table, one in the old form and one in
the new: over Interlock's view and copy at each stage of the change, over dual writes, over what
other tools make, and over one table alone. Then a big table is expanded while it is written.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cluster import SETTINGS, running_cluster
from benchmarks.measure import markdown, platform_line
from benchmarks.sync.contestants import ALONE, ALONE_AGAIN, Contestant, interlock, others
from benchmarks.sync.copying import BATCH, ROWS_A_SECOND
from benchmarks.sync.expand import RATE, Expanded, expand
from benchmarks.sync.forms import HOT, MIXES
from benchmarks.sync.goals import Goal, goals
from benchmarks.sync.race import Course, Result, one_form, race
from benchmarks.sync.workload import CLIENTS, find_pgbench, log_failures
from toolchain.refactor.phases import Phases

QUICK = {"rows": 200_000, "rounds": 2, "seconds": 2.0, "expands": 1}


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench sync` can be told."""
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table expanded")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each contestant a round")
    parser.add_argument("--expands", type=int, default=3, help="how often the table is expanded")
    parser.add_argument(
        "--synchronous-commit",
        choices=("on", "off"),
        default="off",
        help="off: commits do not wait for the disk, so that the statements are what is compared",
    )
    parser.add_argument(
        "--mix",
        choices=sorted(MIXES),
        default="application",
        help="counts: single statements that count, and nothing else",
    )
    parser.add_argument("--only", nargs="+", help="keys of contestants; no goals are judged")
    parser.add_argument("--quick", action="store_true", help="few rows and short rounds, to try it")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")


def main(options: argparse.Namespace) -> None:
    """The tables of `scripts/bench sync`."""
    if options.quick:
        vars(options).update(QUICK)
    contestants = _chosen((*others(), *interlock()), options.only)
    course = Course(
        shares=MIXES[options.mix],
        # Enough for the copy to last until the last round has ended.
        rows=HOT
        + int((options.rounds + 1) * (options.seconds + 1) * ROWS_A_SECOND * 1.2)
        + 10 * BATCH,
        rounds=options.rounds,
        seconds=options.seconds,
        synchronous_commit=options.synchronous_commit,
    )
    expanded = None
    with running_cluster() as cluster:
        find_pgbench(cluster)
        log_failures(cluster)
        machine = (
            f"{platform_line()} (load average {os.getloadavg()[0]:.1f}), {cluster.version},"
            f" shared_buffers {SETTINGS['shared_buffers']}, fsync on,"
            f" synchronous_commit {course.synchronous_commit}"
        )
        if not options.json:
            print(machine, flush=True)
        results = race(cluster, contestants, course)
        if not options.only:
            expanded = expand(
                cluster, _phases(contestants), course, options.rows, options.expands
            )  # fmt: skip
    judged = [] if options.only else list(goals(results, expanded))
    if options.json:
        json.dump(_document(machine, course, results, expanded, judged), sys.stdout, indent=2)
        print()
    else:
        _print(course, results, expanded, judged)


def _chosen(contestants: Sequence[Contestant], keys: Sequence[str] | None) -> Sequence[Contestant]:
    known = {contestant.key for contestant in contestants}
    if keys and (unknown := set(keys) - known):
        sys.exit(f"bench: unknown {sorted(unknown)}; there are {sorted(known)}")
    return [each for each in contestants if not keys or each.key in {ALONE, ALONE_AGAIN, *keys}]


def _phases(contestants: Sequence[Contestant]) -> Phases:
    """Of the split by a view."""
    return next(each.phases for each in contestants if each.phases is not None)


def _print(
    course: Course,
    results: Mapping[str, Result],
    expanded: Expanded | None,
    judged: Sequence[Goal],
) -> None:
    mix = ", ".join(f"{share} % {kind}" for kind, share in course.shares.items())
    print(
        f"\nTwo servers of {CLIENTS} clients, {course.rounds} rounds of {course.seconds:g} s in"
        f" turn, {course.rows:,} rows of which {HOT:,} are hot; {mix}; copies at"
        f" {ROWS_A_SECOND:,} rows a second."
    )
    alone = one_form(results)
    markdown(
        "Old form and new form at once",
        (
            "", "transactions a second", "(from, to)", "against one form", "CPU (µs)",
            "by CPU", "deadlocks",
            "40001", "lost updates", "stray rows",
        ),
        [_row(result, alone) for result in results.values()],
    )  # fmt: skip
    if expanded is not None:
        each = ", ".join(f"{seconds:.2f}" for seconds in expanded.seconds)
        print(
            f"\nExpand of a split of {expanded.rows:,} rows beside {RATE:,} transactions a second,"
            f" from the start of `apply` to its end: {each} s; an `apply` with nothing to do takes"
            f" {expanded.alone:.2f} s, the SQL without the runner {expanded.sql:.3f} s."
        )
    for goal in judged:
        print(f"\nGoal {'met' if goal.met else 'missed'}: {goal.goal}; it is {goal.measured}.")


def _row(result: Result, alone: Result) -> tuple[str, ...]:
    assert result.verdict is not None
    rates = sorted(work.tps for work in result.works)
    early = " (copy ended early)" if result.copy_ended_early else ""
    return (
        result.contestant.name + early,
        f"{result.tps:,.0f}",
        f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
        f"{result.against(alone):.2f}",
        f"{result.cpu:.0f}",
        f"{result.cpu_against(alone):.2f}",
        f"{result.deadlocks:,}",
        f"{result.serialization_failures:,}",
        f"{result.verdict.lost_updates:,}",
        f"{result.verdict.stray_rows:,}",
    )


def _document(
    machine: str,
    course: Course,
    results: Mapping[str, Result],
    expanded: Expanded | None,
    judged: Sequence[Goal],
) -> dict[str, Any]:
    alone = one_form(results)
    return {
        "machine": machine,
        "clients": 2 * CLIENTS,
        "rounds": course.rounds,
        "seconds": course.seconds,
        "rows": course.rows,
        "shares": course.shares,
        "contestants": [
            {
                "key": key,
                "name": result.contestant.name,
                "tps": [round(work.tps, 1) for work in result.works],
                "median": round(result.tps, 1),
                "against_one_form": round(result.against(alone), 3),
                "cpu_microseconds": [round(work.cpu, 1) for work in result.works],
                "against_one_form_by_cpu": round(result.cpu_against(alone), 3),
                "deadlocks": result.deadlocks,
                "serialization_failures": result.serialization_failures,
                "lost_updates": result.verdict.lost_updates if result.verdict else None,
                "stray_rows": result.verdict.stray_rows if result.verdict else None,
            }
            for key, result in results.items()
        ],
        "expand": expanded
        and {
            "rows": expanded.rows,
            "seconds": expanded.seconds,
            "nothing_to_do": expanded.alone,
            "sql": expanded.sql,
        },
        "goals": [
            {"goal": goal.goal, "measured": goal.measured, "met": goal.met} for goal in judged
        ],
    }
