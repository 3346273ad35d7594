"""What must not be interrupted half-way is not, also where other threads take the signals."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from toolchain.edge.undisturbed import undisturbed


@pytest.fixture
def another_thread() -> Iterator[None]:
    """A thread that lets every signal through, as that of a progress bar does."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("another_thread")
def test_a_signal_ends_the_run_when_the_block_is_over() -> None:
    done = []

    def interrupted() -> None:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["all"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("another_thread")
def test_a_signal_that_comes_too_late_is_dropped_with_the_outer_block() -> None:
    with undisturbed(then_end=False):
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_works_without_it() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            done.append("all")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["all"]
