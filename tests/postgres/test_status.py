"""`interlock status` of live shards: what runs, what was killed, who waits, who blocks."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.conftest import REPOSITORY, run_interlock
from tests.postgres.fleetdesk_site import PRODUCT, FleetdeskSite
from tests.postgres.runner.packages import CHAIN, Package, release
from tests.postgres.runner.proxy import proxied
from tests.postgres.runner.test_signals import SLOW_MARK
from tests.waiting import wait_until
from toolchain.edge import ledger_look, ledger_session
from toolchain.edge.ledger_config import read_addresses
from toolchain.edge.ledger_look import look_at_shards
from toolchain.plan.fleet_status.seen import LedgerSeen
from toolchain.runner.ledger import install as runner_ledger

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database


@pytest.fixture
def site(tmp_path: Path, make_database: "Callable[[], Database]") -> FleetdeskSite:
    shards = {name: make_database().dsn for name in ("north", "south")}
    return FleetdeskSite(folder=tmp_path / "site", shards=shards)


def answer(config: Path, product: object = PRODUCT, code: int = 0) -> dict[str, Any]:
    run = run_interlock(REPOSITORY, "status", product, "--shards", config, "--json")
    assert (run.returncode, run.stderr) == (code, "")
    return dict(json.loads(run.stdout))


def look(package: Package) -> LedgerSeen:
    (shard,) = look_at_shards(read_addresses(package.config), package.product)
    assert shard.ledger is not None, shard.problem
    return shard.ledger


def test_the_fleet_as_it_is_and_what_may_be_done_next(
    site: FleetdeskSite, make_database: "Callable[[], Database]"
):
    package = site.package("4.1.0")
    package.done("apply", "--to", "4.0.0", "--phase", "contract", "--create")
    site.register("web1", "3.9.0")
    site.register("web2", "4.0.0")
    site.register("old1", "3.9.0")
    site.register("old2", "3.9.0")
    package.done("apply", "--shard", "south")
    package.done("retire", "--force", "old2")
    for dsn in site.shards.values():
        with (
            closing(psycopg2.connect(dsn)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE interlock.servers SET last_seen = last_seen - interval '1 hour'"
                " WHERE host = 'old1'"
            )
    found = answer(package.config)
    north, south = found["shards"]
    assert (north["release"], north["schema"], north["complete"]) == ("4.0.0", 11, True)
    assert (south["release"], south["schema"], south["complete"]) == ("4.1.0", 12, False)
    assert {one["host"]: one["life"] for one in found["servers"]} == {
        "old1": "expired", "old2": "retired", "web1": "live", "web2": "live",
    }  # fmt: skip
    assert found["servers"][0]["seconds_since_seen"] > 3600
    (gate,) = [one for one in found["blocked"] if one["kind"] == "contract"]
    assert (gate["what"], gate["shards"]) == ("the contract of 4.1.0", ["north", "south"])
    assert [one["host"] for one in gate["servers"]] == ["old1", "web1"]
    kept = [one for one in found["blocked"] if one["kind"] == "servers"]
    assert (kept[0]["what"], kept[0]["shards"]) == ("servers 4.1.0, 4.1.1", ["north"])
    onward = found["next"]
    assert onward["wave"]["names"] == ["north"]
    assert [one["line"] for one in onward["commands"]] == [
        "apt-get install fleetdesk-database=4.1.0-1",
        "dnf install fleetdesk-database-4.1.0-1",
        "fleetdesk-database apply --to 4.1.0 --shard north",
    ]
    # The gate itself says the same, and the command is one that the package takes.
    blocked = package.run("apply", "--phase", "contract", "--shard", "south")
    assert blocked.code == 1
    assert "web 3.9.0 on web1" in blocked.err
    package.done(*onward["commands"][2]["argv"][1:])
    after = answer(package.config)["next"]
    assert (after["wave"]["side"], after["waves"]) == ("servers", onward["waves"] - 1)
    assert after["commands"][0]["line"] == "fleetdesk-server sync"

    # Shards that are not there yet, or out of reach, are rows; then nobody can plan.
    site.shards["empty"] = make_database().dsn
    site.shards["gone"] = "host=127.0.0.1 port=1 dbname=x password=hunter2"
    package.write()
    package.config.chmod(0o600)
    found = answer(package.config, code=4)
    assert [one["problem"] for one in found["shards"]][:3] == [None, None, "has no ledger"]
    assert found["shards"][3]["problem"].startswith("cannot be read: ")
    assert "hunter2" not in json.dumps(found)
    assert found["next"]["answer"] == "unknown"
    assert found["next"]["reasons"][0] == "shard empty has no ledger"
    assert [one["kind"] for one in found["blocked"]][0] == "contract"
    # Without the specs the ledgers alone are told.
    alone = answer(package.config, "fleetdesk", code=4)
    assert alone["shards"][0]["release"] == "4.1.0"
    assert (alone["blocked"], alone["next"]["wave"]) == ([], None)


@pytest.fixture
def moving(tmp_path: Path, database: "Database") -> Package:
    """A package whose second release moves rows for seconds; nothing of that has begun."""
    releases = (CHAIN[0], release("1.1.0", 2, SLOW_MARK))
    settings = "batch_time = 50ms\nlock_timeout = 500ms\nlock_patience = 60s\n"
    package = Package(tmp_path / "database", releases, {"north": database.dsn}, settings=settings)
    package.done("apply", "--to", "1.0.0")
    database.execute("ANALYZE host")
    return package


@pytest.fixture
def runner(moving: Package, database: "Database") -> "Iterator[subprocess.Popen[str]]":
    """That release's runner at work, in a process of its own, after its first batch.

    At its rate it takes minutes: no busy machine is slower.
    """
    usual = moving.settings
    moving.settings += "max_rate = 4\n"
    moving.write()
    with moving.start("apply", "--quiet") as process:
        try:
            begun = "SELECT 1 FROM interlock.steps WHERE id = 'mark.migrate' AND rows > 0"
            wait_until(lambda: database.rows(begun), 120)
            moving.settings = usual
            moving.write()
            yield process
        finally:
            process.kill()


def test_a_runner_at_work_and_one_that_was_killed(moving: Package, runner: "subprocess.Popen[str]"):
    (north,) = answer(moving.config, "fleetdesk")["shards"]
    (step,) = north["unfinished"]
    assert (step["step"], step["state"], step["rows_estimated"]) == ("mark.migrate", "running", 950)
    assert 0 < step["rows"] < 950
    assert step["rows_per_second"] > 0
    assert north["runner"]["application"].startswith("fleetdesk-database@")
    assert moving.done("status", "--json").shard["unfinished"][0]["state"] == "running"
    runner.kill()
    runner.wait()
    wait_until(lambda: look(moving).runner is None, 120)
    (north,) = answer(moving.config, "fleetdesk")["shards"]
    assert (north["unfinished"][0]["state"], north["runner"]) == ("stopped", None)
    # The ledger itself goes on to say `running`, and the runner's own status knows better.
    (step,) = [one for one in look(moving).steps if one.unfinished]
    assert step.state == "running"
    told = moving.done("status")
    assert re.search(r"unfinished: mark.migrate \(1.1.0\) has stopped after \d+ rows,", told.out)
    assert "is running" not in told.out
    assert moving.done("status", "--json").shard["unfinished"][0]["state"] == "stopped"
    moving.done("apply")
    assert not [one for one in look(moving).steps if one.unfinished]


def test_a_lock_that_is_waited_for_names_its_holder(tmp_path: Path, database: "Database"):
    package = Package(
        tmp_path / "database",
        CHAIN[:2],
        {"north": database.dsn},
        settings="lock_timeout = 5s\nlock_patience = 120s\n",
    )
    package.done("apply", "--to", "1.0.0")
    with closing(psycopg2.connect(database.dsn, application_name="nightly 'report'")) as other:
        other.cursor().execute("SELECT count(*) FROM host")
        with package.start("apply", "--quiet") as process:
            try:
                found: list[Any] = []

                def waits() -> bool:
                    found[:] = [look(package).runner]
                    return bool(found[0] and found[0].blockers)

                wait_until(waits, 120)
                (seen,) = found
                assert seen.waits_for == "public.host"
                (blocker,) = seen.blockers
                assert blocker.pid == other.info.backend_pid
                assert (blocker.application, blocker.state) == (
                    "nightly 'report'",
                    "idle in transaction",
                )
                other.rollback()
                assert process.wait(120) == 0
            finally:
                process.kill()


def test_a_shard_that_freezes_is_given_up(
    moving: Package, cluster: "Cluster", database: "Database", monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ledger_session, "READING_SECONDS", 1.0)
    with proxied(cluster.port) as proxy:
        moving.shards = {"south": f"{database.tcp_dsn} port={proxy.port} sslmode=disable"}
        moving.write()
        moving.config.chmod(0o600)
        proxy.swallows = b"interlock.steps"
        (south,) = look_at_shards(read_addresses(moving.config), "fleetdesk")
    assert south.problem == "has not answered for 1 s"


def test_the_grants_of_the_page_are_enough(
    moving: Package, runner: "subprocess.Popen[str]", database: "Database"
):
    page = (REPOSITORY / "docs/how-to/watch-a-rollout.md").read_text()
    (grants,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    role = "interlock_watcher"
    assert role in grants
    database.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC;" + grants)
    try:
        moving.shards["north"] = database.dsn_as(role)
        moving.write()
        seen = look(moving)
        assert seen.runner is not None
        assert seen.runner.age is not None
        (step,) = [one for one in seen.steps if one.unfinished]
        assert (step.id, step.estimate) == ("mark.migrate", 950)
    finally:
        database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_the_formats_of_the_ledger_are_the_runners(moving: Package, database: "Database"):
    assert ledger_look.FORMAT == runner_ledger.FORMAT
    database.execute("UPDATE interlock.ledger SET format = 99")
    (shard,) = look_at_shards(read_addresses(moving.config), "fleetdesk")
    assert shard.problem == "has a ledger of format 99, and this Interlock reads up to 1"


def watching(moving: Package, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    command = (sys.executable, "-m", "toolchain", "status", "fleetdesk", "--shards")
    return subprocess.Popen(
        (*command, str(moving.config), "--watch", "1", *arguments), cwd=REPOSITORY, **options
    )


def test_watched_on_a_terminal_until_ctrl_c(moving: Package, database: "Database"):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    output = bytearray()
    with watching(
        moving,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:
        os.close(follower)

        def drain() -> None:
            try:
                while chunk := os.read(leader, 65536):
                    output.extend(chunk)
            except OSError:  # how a pty says that nobody holds its other end
                return

        reader = threading.Thread(target=drain)
        reader.start()
        try:
            wait_until(lambda: b"1.0.0" in output, 120)
            moving.done("apply")
            # The screen follows without a key.
            wait_until(lambda: b"1.1.0" in output, 120)
            os.write(leader, b"\x03")
            assert process.wait(120) == 0
        finally:
            process.kill()
            reader.join(30)
            os.close(leader)
    text = output.decode()
    screen, _, after = text.partition("\x1b[?1049l")
    assert "read again every 1 s; Ctrl-C ends it" in screen
    assert "\x1b[?25h" in text, "the cursor is back"
    assert "Traceback" not in text
    assert "interrupted" not in text
    assert "fleetdesk: 0 live servers, 1 shard" in after, "the last status stays in sight"


def test_watched_by_a_program_it_is_a_line_for_each_look(moving: Package):
    with watching(moving, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, b"")
    assert all(line.startswith(b"{") for line in rest.splitlines())
    assert looks[0]["read_at"] < looks[1]["read_at"]
    assert looks[1]["shards"][0]["release"] == "1.0.0"
