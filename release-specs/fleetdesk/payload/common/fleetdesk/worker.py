"""fleetdesk-worker: does the jobs that wait on the shards, one at a time on each."""

from __future__ import annotations

import argparse
import logging
import threading
from typing import Any

import psycopg2

from fleetdesk import program
from fleetdesk.facts import InvalidError, facts
from fleetdesk.settings import Settings
from fleetdesk.shards import AwayError, Shard
from fleetdesk_release import VERSION, messages, store

LONGEST_PAUSE = 30.0  # seconds between two attempts to reach a shard

_log = logging.getLogger("fleetdesk")


def do_one_job(cursor: Any) -> bool:
    """Take a job, do it and mark it, in one transaction; False when none waits.

    What the job did and that it is done are committed together: after a crash the job waits as
    before. A job that cannot be done is marked as failed, with the reason.
    """
    job = store.take_job(cursor)
    if job is None:
        return False
    cursor.execute("SAVEPOINT job")
    try:
        _do(cursor, job)
    except (InvalidError, psycopg2.DataError, psycopg2.IntegrityError) as problem:
        reason = _line(problem)
    except psycopg2.Error:
        raise  # the shard's trouble, not the job's, which waits
    except Exception as problem:  # noqa: BLE001  one job must not stop all others
        _log.exception("job %d for %s", job["id"], job["host"])
        reason = f"an error of Fleetdesk: {_line(problem)}"
    else:
        _log.info("job %d for %s is done", job["id"], job["host"])
        store.finish_job(cursor, job["id"], "done", None)
        return True
    _log.warning("job %d for %s failed: %s", job["id"], job["host"], reason)
    cursor.execute("ROLLBACK TO SAVEPOINT job")
    store.finish_job(cursor, job["id"], "failed", reason)
    return True


def _do(cursor: Any, job: dict[str, Any]) -> None:
    if job["kind"] != "scan":
        raise InvalidError(f"nothing is known of jobs of the kind {job['kind']!r}")
    found = facts(messages.decode(job["payload"]), store.FACTS)
    if not store.record_scan(cursor, job["host"], found):
        raise InvalidError(f"there is no host {job['host']} any more")
    store.log(cursor, actor="worker", action="scan", host=job["host"], detail=found)


class _Rounds:
    """The work on one shard, again and again until told to stop."""

    def __init__(self, shard: Shard, *, poll_seconds: float, drain: bool) -> None:
        self._shard = shard
        self._poll_seconds = poll_seconds
        self._drain = drain
        self.trouble = False

    def run(self, stop: threading.Event) -> None:
        """Do jobs until `stop` is set, or, to drain, until none waits or the shard is away."""
        pause = self._poll_seconds
        while not stop.is_set():
            try:
                # Twice is harmless: a job that was committed is not there to be taken again.
                busy = self._shard.run(do_one_job, repeatable=True, patience=0.0)
            except (AwayError, psycopg2.Error) as problem:
                if not self.trouble:
                    _log.warning("no work on shard %s: %s", self._shard.name, _line(problem))
                self.trouble = True
                if self._drain:
                    return
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if self.trouble:
                _log.info("shard %s is back", self._shard.name)
            self.trouble = False
            pause = self._poll_seconds
            if not busy and self._drain:
                return
            if not busy:
                stop.wait(self._poll_seconds)


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def _work(options: argparse.Namespace, settings: Settings, shards: dict[str, Shard]) -> int:
    stop = threading.Event()
    program.on_stop(stop.set)
    rounds = [
        _Rounds(shard, poll_seconds=settings.poll_seconds, drain=options.drain)
        for shard in shards.values()
    ]
    threads = [threading.Thread(target=each.run, args=(stop,)) for each in rounds]
    _log.info("version %s works on %s", VERSION, ", ".join(shards))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _log.info("stopped")
    return program.EX_UNAVAILABLE if options.drain and any(r.trouble for r in rounds) else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = program.parser("fleetdesk-worker", "Do the jobs that wait on the shards.")
    options.add_argument(
        "--poll", type=float, metavar="SECONDS", help="pause on an idle shard (default: settings')"
    )
    options.add_argument(
        "--drain", action="store_true", help="do what waits, then stop; 69 if a shard is away"
    )
    return program.run("fleetdesk-worker", options.parse_args(arguments), _work)
