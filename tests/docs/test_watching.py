"""The page on watching: its commands run before a real shard, its metrics and alerts are real."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, run_interlock
from tests.postgres.conftest import running_cluster
from tests.postgres.fleetdesk_site import FleetdeskSite
from tests.waiting import wait_until
from toolchain.cli.status import command as status

PAGE = (REPOSITORY / "docs/how-to/watch-a-rollout.md").read_text()

pytestmark = pytest.mark.postgres


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with the specs, and a shards.ini that leads to a shard and its server."""
    folder = tmp_path_factory.mktemp("watching")
    with running_cluster() as cluster:
        site = FleetdeskSite(
            folder=folder / "site", shards={"north": cluster.create_database().dsn}
        )
        package = site.package("4.1.0")
        package.done("apply", "--to", "4.0.0", "--phase", "contract", "--create")
        site.register("web1", "4.0.0")
        (folder / "release-specs").symlink_to(REPOSITORY / "release-specs")
        package.config.rename(folder / "shards.ini")
        yield folder


@pytest.mark.parametrize("command", commands(), ids=lambda argv: " ".join(argv[4:]))
def test_every_command_runs(command: list[str], place: Path):
    program, *argv = command
    assert program == "interlock"
    if "--watch" not in argv:
        run = run_interlock(place, *argv)
        assert (run.returncode, run.stderr) == (0, "")
        if argv == commands()[0][1:]:
            for word in ("servers", "expired", "retired", "complete", "Blocked", "Next"):
                assert word in PAGE
                assert word in run.stdout
        return
    told = place / "fleetdesk.prom" if "--output" in argv else place / "told"
    told.unlink(missing_ok=True)
    with (
        (place / "told").open("wb") as out,
        subprocess.Popen(
            (sys.executable, "-m", "toolchain", *argv),
            cwd=place,
            env={"PYTHONPATH": str(REPOSITORY)},
            stdout=out,
        ) as process,
    ):
        try:
            wait_until(lambda: process.poll() or (told.exists() and told.stat().st_size), 120)
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 0
        finally:
            process.kill()


def test_the_page_names_every_metric_and_every_label(place: Path):
    argv = ("release-specs/fleetdesk", "--shards", "shards.ini", "--format", "openmetrics")
    text = run_interlock(place, "status", *argv).stdout
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `interlock_")]
    named = {name: set(re.findall(r"`(\w+)`", row[1])) for row in rows for name in names(row[0])}
    assert set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) == set(named)
    for name, labels in re.findall(r"^(interlock_\w+)\{(.*)\}", text, re.MULTILINE):
        assert set(re.findall(r'(\w+)="', labels)) == {"product", *named[name]}, name


def names(cell: str) -> list[str]:
    return re.findall(r"`(interlock_\w+)`", cell)


def test_the_alerts_ask_for_metrics_that_exist():
    (rules,) = blocks("yaml")
    (group,) = yaml.safe_load(rules)["groups"]
    assert len(group["rules"]) >= 6
    for rule in group["rules"]:
        (metric,) = re.findall(r"interlock_\w+", rule["expr"])
        assert f"| `{metric}`" in PAGE
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{metric}`"))
            assert label == "product" or f"`{label}`" in row


def test_options_on_the_page_exist():
    known = {name for option in status.params for name in option.opts}
    assert set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", PAGE)) <= known
