"""`interlock status`: what it prints of values, and what it refuses before it connects."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.conftest import REPOSITORY, Interlock
from tests.unit.plan.fleet_status.fleet import AT_1_0, CHAIN, server, shard, step, unread
from tests.unit.plan.rollout.samples import V
from toolchain.cli.status import command
from toolchain.cli.status_text import status_text
from toolchain.errors import InterlockError, OutputError, UsageError
from toolchain.fleet.status import states_of
from toolchain.plan.fleet_status.onward import Onward, Way
from toolchain.plan.fleet_status.seen import Blocker, RunnerSeen, ShardSeen
from toolchain.plan.fleet_status.status import status_of

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
MARKUP = "[red]web[/]\x1b[2J\u202e'\""


def printed(*seen: ShardSeen, width: int = 200, **options: object) -> str:
    status = status_of(
        "fleetdesk",
        datetime(2026, 5, 4, 12, tzinfo=UTC),
        seen,
        Onward(way=Way.UNKNOWN, target=V("1.2.0"), reasons=("[bold]why[/]",)),
        states=states_of(seen, CHAIN),
        chain=CHAIN,
        rates={},
    )
    page = StringIO()
    console = Console(file=page, width=width, force_terminal=True, color_system=None)
    console.print(status_text(status, **options), highlight=False)  # type: ignore[arg-type]
    return page.getvalue()


def test_five_hundred_servers_are_a_line_for_each_version():
    servers = [server(f"web{at}", "1.1.0" if at % 2 else "1.0.0") for at in range(500)]
    text = printed(*(shard(f"s{at}", "1.0.0", *servers) for at in range(50)))
    assert "500 live servers, 50 shards" in text
    assert len(text.splitlines()) < 80
    assert "│ web499 │" not in text
    assert "│ web499 │" in printed(shard("north", "1.1.0", *servers), each_server=True)


def test_a_small_screen_shows_first_what_somebody_should_look_at():
    calm = [shard(f"calm{at}", "1.1.0") for at in range(40)]
    text = printed(*calm, unread("gone", "cannot be read"), most_shards=3)
    assert "gone" in text
    assert "and 38 more shards at which less happens" in text


def test_a_stopped_step_is_never_said_to_run():
    moving = step("mail.migrate", "1.1.0", "running", rows=600, seconds=3.0, estimate=1000)
    steps = (*AT_1_0, moving)
    runner = RunnerSeen(pid=42, application="fleetdesk-database@db1", age=90.0)
    text = printed(shard("north", "1.0.0", steps=steps, runner=runner))
    assert "mail.migrate (1.1.0) runs: 600 rows, about 60%, 200 rows/s, about 2.0 s left" in text
    assert "at work: fleetdesk-database@db1 for 1 min 30 s" in text
    text = printed(shard("north", "1.0.0", steps=steps))
    assert "mail.migrate (1.1.0) has STOPPED, nobody works on it: 600 rows, about 60%" in text
    assert "'apply' goes on there" in text
    assert ") runs" not in text
    undone = step("mail.migrate", "1.1.0", "undoing", rows=600)
    assert "'undo --to' ends it" in printed(shard("north", "1.0.0", steps=(*AT_1_0, undone)))


def test_expired_servers_that_a_contract_waits_for_come_first():
    gone = [server(f"web{at}", "1.0.0", live=False, age=700.0) for at in range(6)]
    text = printed(shard("north", "1.1.0", *gone))
    assert "first start again, or retire, the expired servers on web0, web1, web2, web3" in text
    assert "first start again" not in printed(shard("north", "1.1.0", server("web1", "1.0.0")))


def test_hostile_names_are_text():
    other = Blocker(pid=7, application=MARKUP, user=MARKUP, client=MARKUP, state="idle", age=3.0)
    runner = RunnerSeen(
        pid=1, application=MARKUP, client=MARKUP, waits_for=MARKUP, blockers=(other,)
    )
    web = server(MARKUP, "1.0.0", instance=MARKUP)
    steps = (*AT_1_0, step(f"{MARKUP}.migrate", "1.1.0", "running"))
    text = printed(
        shard(MARKUP, "1.0.0", web, steps=steps, runner=runner),
        unread("west", f"cannot be read: {MARKUP}"),
        each_server=True,
        width=2000,
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[red]web[/]\\x1b[2J\\u202e'\"") >= 8
    assert "[bold]why[/]" in text


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "shards.ini"
    path.write_text(
        "[*]\nconnect_timeout = 2s\n[gone]\ndsn = host=127.0.0.1 port=1 dbname=x password=hunter2\n"
    )
    path.chmod(0o600)
    return path


def test_a_shard_that_is_out_of_reach_is_a_row(interlock: Interlock, config: Path, tmp_path: Path):
    run = interlock("status", FLEETDESK, "--shards", config)
    assert (run.returncode, run.stderr) == (4, "")
    assert "│ gone" in run.stdout
    assert "Connection refused" in run.stdout
    assert "hunter2" not in run.stdout
    target = tmp_path / "metrics/interlock.prom"
    target.parent.mkdir()
    run = interlock(
        "status", "fleetdesk", "--shards", config, "--format", "openmetrics", "--output", target
    )
    assert (run.returncode, run.stdout) == (4, "")
    assert 'interlock_shard_up{product="fleetdesk",shard="gone"} 0\n' in target.read_text()
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["release-specs/none"], UsageError, "there is no directory 'release-specs/none'"),
        (["fleetdesk", "--to", "4.1.0"], UsageError, "--to is for the planner, which needs the"),
        ([FLEETDESK, "--to", "9.9.9"], UsageError, "fleetdesk has no release 9.9.9"),
        (["fleetdesk", "--servers", "--json"], UsageError, "--servers lists every server in the"),
        (
            ["fleetdesk", "--watch", "never"],
            UsageError,
            "--watch takes seconds between 1 and 86400",
        ),
        (["fleetdesk", "--watch", "nan"], UsageError, "--watch takes seconds between 1 and 86400"),
        (
            ["fleetdesk", "--watch", "--format", "openmetrics"],
            UsageError,
            "so --watch needs a file",
        ),
        (["fleetdesk", "--output", "/proc/none/x"], OutputError, "/proc/none/x cannot be written"),
    ],
)
def test_what_it_refuses(
    config: Path, arguments: list[object], error: type[InterlockError], sentence: str
):
    with pytest.raises(error) as refusal:
        command.main(["--shards", str(config), *map(str, arguments)], standalone_mode=False)
    assert sentence in str(refusal.value)


def test_a_broken_shards_file_is_one_sentence(config: Path):
    config.write_text("dsn = hunter2\n")
    with pytest.raises(UsageError, match="a section such as") as refusal:
        command.main(["fleetdesk", "--shards", str(config)], standalone_mode=False)
    assert "hunter2" not in str(refusal.value)
