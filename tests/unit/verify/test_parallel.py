"""Many at a time: results in order, and an end that waits for nobody who is stuck."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from toolchain.edge.process import Command, Processes
from toolchain.errors import ToolError
from toolchain.verify.parallel import each


def test_results_come_in_the_order_of_the_items():
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number < 3 else 0)
        return number * number

    assert list(each(slow_at_first, range(50), Processes())) == [at * at for at in range(50)]
    assert list(each(slow_at_first, (), Processes())) == []


def test_the_first_failure_ends_what_runs_and_what_waits():
    processes, begun = Processes(), []

    def one(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise KeyError(number)
        processes.finish(Command(argv=("sleep", "600")))

    started = time.monotonic()
    with pytest.raises(KeyError):
        list(each(one, (1, *range(2, 5000)), processes))
    # Nobody waited for the ten minutes.
    assert time.monotonic() - started < 300
    assert len(begun) < 5000
    with pytest.raises(ToolError, match="was not started"):
        processes.run(Command(argv=("true",)))


STUCK = """
import sys, time
import toolchain.verify.intake as intake
from toolchain.cli.main import main

def read(path, processes):
    print("reading", flush=True)
    time.sleep(600)

intake.read_package = read
sys.argv = ["interlock", "verify", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_a_reader_is_stuck(tmp_path: Path, number: signal.Signals):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "a.deb").touch()
    process = subprocess.Popen(
        (sys.executable, "-c", STUCK, str(tmp_path / "a.deb")),
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        process.send_signal(number)
        # A second by itself; a busy machine may take longer, but no reader's ten minutes.
        _, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.strip() == "interlock: interrupted; nothing was changed"
    assert not list(scratch.iterdir())
