"""A few steps that no polite signal interrupts."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def undisturbed(*, then_end: bool = True) -> Iterator[None]:
    """Hold signals that end a run until the block is over; without `then_end` they came too late.

    Handlers step aside, and no signal is masked: it would go to a thread that lets it through, such
    as a progress bar's, and Python has the main thread handle it all the same. Other threads than
    the main one are never interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def keep(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, keep) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if then_end and came:
        signal.raise_signal(came[0])
