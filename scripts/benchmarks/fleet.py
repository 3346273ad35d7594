"""A fleet of small databases, all upgraded by one run of the runner."""

import re
import statistics
import sys
import time
from dataclasses import dataclass

from benchmarks.backfill import fill
from benchmarks.cluster import Cluster
from benchmarks.measure import markdown
from benchmarks.package import Package

ROWS = 1_000
SMALL = 20
TEMPLATE = "small"
LOG_SECONDS = 10.0
_SESSION = re.compile(
    r"disconnection: session time: (\d+):(\d\d):(\d\d\.\d+) user=\S+ database=(shard_\d+) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Seconds of the whole run and of the slowest shard's session, the runner's peak in MiB."""

    seconds: float
    slowest: float
    mib: float


def fleet(cluster: Cluster, package: Package, shards: int, runs: int) -> None:
    """Print the table of fleets: a small one, and one of all shards."""
    fill(cluster.create(TEMPLATE), ROWS)
    lines = []
    for count in sorted({min(SMALL, shards), shards}):
        upgrades = [_upgrade(cluster, package, count) for _ in range(runs)]
        lines.append(
            (
                f"{count} shards",
                f"{statistics.median(upgrade.seconds for upgrade in upgrades):.1f}",
                f"{statistics.median(upgrade.slowest for upgrade in upgrades):.2f}",
                f"{max(upgrade.mib for upgrade in upgrades):.0f}",
            )
        )
    cluster.drop(TEMPLATE)
    markdown(
        f"A fleet upgraded by one run: a new table and a backfill of {ROWS:,} rows in each shard",
        ("", "seconds", "slowest shard (seconds)", "runner's memory (MiB)"),
        lines,
    )


def _upgrade(cluster: Cluster, package: Package, count: int) -> Upgrade:
    names = [f"shard_{number}" for number in range(count)]
    shards = {name.replace("_", "-"): cluster.create(name, template=TEMPLATE).dsn for name in names}
    cluster.database("postgres").execute("CHECKPOINT")
    past = cluster.log.stat().st_size
    figure = package.apply(shards)
    slowest = max(_sessions(cluster, past, count).values())
    for name in names:
        cluster.drop(name)
    return Upgrade(seconds=figure.seconds, slowest=slowest, mib=figure.mib)


def _sessions(cluster: Cluster, past: int, count: int) -> dict[str, float]:
    """Seconds of each shard's session, from the server's log behind a place in it."""
    deadline = time.monotonic() + LOG_SECONDS
    sessions: dict[str, float] = {}
    # A backend writes its line only after its client has gone.
    while len(sessions) < count:
        if time.monotonic() > deadline:
            sys.exit(f"bench: {len(sessions)} of {count} shards were upgraded")
        with cluster.log.open() as log:
            log.seek(past)
            found = _SESSION.findall(log.read())
        for hours, minutes, text, name in found:
            seconds = int(hours) * 3600 + int(minutes) * 60 + float(text)
            sessions[name] = max(seconds, sessions.get(name, 0.0))
        time.sleep(0.02)
    return sessions
