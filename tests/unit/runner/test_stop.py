"""Two signals, however close: the second one cancels, and no lock that is held keeps it out."""

import subprocess
import sys

from tests.conftest import REPOSITORY

# Were the lock asked for in a signal's handler, the program would hang for ever.
PROGRAM = """
import signal, threading
from toolchain.runner.core.stop import Stop, stop_on_signals

story, both = threading.Lock(), threading.Barrier(3)

def announce(sentence):
    with story:
        print(sentence, flush=True)
    both.wait()

with stop_on_signals(Stop(), announce):
    with story:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    both.wait()
"""


def test_signals_while_the_story_is_being_told() -> None:
    command = (sys.executable, "-c", PROGRAM)
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    first, second = sorted(done.stdout.splitlines())
    assert "stopping after the running statements; once more cancels them" in first
    assert second == "cancelling the running statements"
