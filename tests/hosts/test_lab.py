"""The harness proves itself: what a test of packages on hosts relies on is really so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from . import sweep
from .commands import ENVIRONMENT, CommandError, CommandTimeoutError
from .host import Host
from .lab import Lab
from .machine import BootError, HostDownError

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()"
ONCE = """\
[Service]
Type=oneshot
ExecStart={command}
[Install]
WantedBy=multi-user.target
"""
WITNESS = """\
import socket, sys
connection = socket.create_connection((sys.argv[1], 5432))
print("connected", flush=True)
connection.settimeout(float(sys.argv[2]))
try:
    print("good-bye", connection.recv(1))
except TimeoutError:
    print("silence")
"""


def connects(host: Host, to: str, port: int) -> bool:
    return host.run("python3", "-c", CONNECT, to, str(port), check=False).returncode == 0


def test_hosts_run_without_a_failed_unit(client: Host) -> None:
    assert client.run("systemctl", "is-system-running").stdout == "running\n"
    assert client.failed_units == ()
    assert client.run("hostname").stdout.strip() == client.name


def test_hosts_reach_each_other_by_name(apt_host: Host, dnf_host: Host) -> None:
    for near, far in ((apt_host, dnf_host), (dnf_host, apt_host)):
        far.run("systemd-run", "--quiet", "python3", "-m", "http.server", "8000")
        deadline = time.monotonic() + 60
        while not connects(near, far.name, 8000):
            assert time.monotonic() < deadline


def test_files_and_commands(client: Host, tmp_path: Path) -> None:
    client.write("/srv/new/file", "text\n", mode=0o640)
    assert client.read("/srv/new/file") == "text\n"
    assert client.run("stat", "--format=%a %U", "/srv/new/file").stdout == "640 root\n"
    assert not client.exists("/srv/none")

    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/inner/data").write_text("inside\n")
    client.push(tmp_path / "tree", "/srv/tree")
    client.push(tmp_path / "tree/inner/data", "/srv/copy")
    assert client.read("/srv/tree/inner/data") == client.read("/srv/copy") == "inside\n"

    assert client.run("cat", stdin="given").stdout == "given"
    assert client.run("printenv", "WORD", env={"WORD": "said"}).stdout == "said\n"
    with pytest.raises(CommandError, match=r"nonesuch(?s:.*)No such file"):
        client.run("cat", "/nonesuch")
    with pytest.raises(CommandTimeoutError):
        client.run("sleep", "4711", timeout=0.2)
    assert client.run("pgrep", "--full", "^sleep 4711", check=False).stdout == ""


def test_a_link_does_not_lead_out_of_the_host(client: Host, tmp_path: Path) -> None:
    client.run("ln", "--symbolic", str(tmp_path), "/srv/outside")
    client.run("mkdir", "--parents", str(tmp_path))
    client.write("/srv/outside/file", "stays inside\n")
    assert client.exists(f"{tmp_path}/file")
    assert not (tmp_path / "file").exists()


def test_postgresql_answers_from_the_other_host(apt_host: Host, dnf_host: Host) -> None:
    assert apt_host.sql("postgres", "CREATE DATABASE shard") == ""
    apt_host.sql("shard", "CREATE TABLE host (id int); INSERT INTO host VALUES (7), (8)")
    psql = ("psql", "--host", apt_host.name, "--username", "postgres", "shard")
    answer = dnf_host.run(*psql, "--no-align", "--tuples-only", "--command=SELECT * FROM host")
    assert answer.stdout == "7\n8\n"
    with pytest.raises(CommandError, match='relation "nothing" does not exist'):
        apt_host.sql("shard", "SELECT * FROM nothing")


def test_a_cut_host_is_out_of_reach_until_it_is_joined(apt_host: Host, dnf_host: Host) -> None:
    assert connects(dnf_host, apt_host.name, 5432)
    apt_host.cut()
    assert not connects(dnf_host, apt_host.name, 5432)
    assert apt_host.run("hostname").returncode == 0
    apt_host.join()
    assert connects(dnf_host, apt_host.name, 5432)


@pytest.mark.parametrize("end", [Host.kill, Host.poweroff])
def test_a_host_keeps_its_disk(apt_host: Host, dnf_host: Host, end: Callable[[Host], None]) -> None:
    apt_host.sql("postgres", "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still')")
    identifier = apt_host.read("/etc/machine-id")
    end(apt_host)
    with pytest.raises(HostDownError):
        apt_host.run("true")
    assert not connects(dnf_host, apt_host.name, 5432)
    apt_host.start()
    assert apt_host.read("/etc/machine-id") == identifier
    assert apt_host.sql("postgres", "SELECT word FROM kept; DROP TABLE kept") == "still\n"
    assert connects(dnf_host, apt_host.name, 5432)


@pytest.mark.parametrize(
    ("end", "seen", "seconds"),
    [(Host.kill, "silence", "2"), (Host.poweroff, "good-bye", "120")],
)
def test_a_killed_host_does_not_say_good_bye(
    apt_host: Host, dnf_host: Host, end: Callable[[Host], None], seen: str, seconds: str
) -> None:
    witness = dnf_host.command("python3", "-c", WITNESS, apt_host.name, seconds)
    with subprocess.Popen(witness, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        end(apt_host)
        assert process.stdout.readline().startswith(seen)
    apt_host.start()


def test_two_labs_do_not_see_each_other(
    lab: Lab, apt_host: Host, new_lab: Callable[[], Lab]
) -> None:
    with new_lab() as other:
        twin = other.host(apt_host.name)
        assert twin.address == apt_host.address
        assert not connects(twin, apt_host.address, 5432)
        apt_host.run("systemctl", "is-active", "postgresql@15-main.service")
    assert sweep.leftovers(other.directory) == ()
    assert apt_host.run("systemctl", "is-system-running").stdout == "running\n"


def test_a_degraded_host_says_which_unit_failed(
    new_lab: Callable[[], Lab], caplog: pytest.LogCaptureFixture
) -> None:
    with new_lab() as lab:
        host = lab.host("sick")
        host.write("/etc/systemd/system/failing.service", ONCE.format(command="/bin/false"))
        host.run("systemctl", "enable", "failing.service")
        host.poweroff()
        host.start()
    assert "host sick is degraded: failing.service" in caplog.messages


def test_a_boot_that_fails_shows_the_console(new_lab: Callable[[], Lab]) -> None:
    with new_lab() as lab:
        host = lab.host("broken")
        host.write("/etc/systemd/system/stuck.service", ONCE.format(command="/bin/sleep infinity"))
        host.run("systemctl", "enable", "stuck.service")
        host.kill()
        # A busy machine may not have come to its first line after the shortest time.
        for seconds in (4, 30, 180):
            with pytest.raises(BootError, match=r"too long(?s:.*)console of broken\n") as failure:
                host.start(timeout=seconds)
            if "Start" in str(failure.value):
                break
        assert "Start" in str(failure.value)
        with pytest.raises(HostDownError):
            host.run("true")
    assert sweep.leftovers(lab.directory) == ()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_killed_test_run_leaves_nothing(number: signal.Signals) -> None:
    program = (
        f"from {Lab.__module__} import Lab\nimport sys, time\n"
        "with Lab() as lab:\n lab.host('one')\n print(lab.directory, flush=True)\n time.sleep(60)"
    )
    package_root = Path(__file__).parents[len(__package__.split("."))]
    with subprocess.Popen(
        (sys.executable, "-c", program),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package_root)},
    ) as run:
        assert run.stdout is not None
        directory = Path(run.stdout.readline().strip())
        assert any(line.startswith("process") for line in sweep.leftovers(directory))
        run.send_signal(number)
        run.wait(120)
    deadline = time.monotonic() + 120
    while sweep.leftovers(directory) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sweep.leftovers(directory) == ()


def test_the_sweep_removes_what_a_killed_keeper_left(new_lab: Callable[[], Lab]) -> None:
    lab = new_lab()
    lab.host("one")
    assert sweep.is_kept(lab.directory)
    lab.keeper.kill()
    lab.keeper.wait()
    assert not sweep.is_kept(lab.directory)
    assert lab.directory in sweep.labs()
    assert sweep.sweep(lab.directory) == ()
