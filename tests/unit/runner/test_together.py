"""Work on many things in threads: order, limit, and the end after an interruption."""

import signal
import threading
from itertools import count

import pytest

from toolchain.runner.core.together import together


def test_results_stand_in_the_items_order_whichever_ends_first():
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            assert second_is_done.wait(60)
        else:
            second_is_done.set()
        return item * 10

    assert together(work, (1, 2), most=2) == (10, 20)


def test_no_more_work_at_a_time_than_asked_for():
    full, lock, at_work = threading.Barrier(3), threading.Lock(), 0

    def work(_: int) -> int:
        nonlocal at_work
        with lock:
            at_work += 1
            seen = at_work
        # Passed by three at once, or never.
        full.wait(60)
        with lock:
            at_work -= 1
        full.wait(60)
        return seen

    assert max(together(work, range(9), most=3)) == 3


def test_nothing_is_no_work():
    assert together(str, (), most=8) == ()


def test_an_interruption_begins_no_further_work():
    begun, may_end = count(), threading.Event()

    def work(_: int) -> None:
        if next(begun) == 0:
            # As Ctrl-C does it: the signal reaches the thread that waits.
            signal.raise_signal(signal.SIGINT)
            assert may_end.wait(60)

    with pytest.raises(KeyboardInterrupt):
        together(work, range(1000), most=1)
    may_end.set()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.name.endswith("(labour)"):
            thread.join(60)
    assert next(begun) == 1
