"""The same work on many things, several at a time, in threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds; a wait without an end would keep a signal from being handled.
_LONGEST_WAIT = 0.2


def together(
    work: Callable[[Item], Result], items: Sequence[Item], *, most: int
) -> tuple[Result, ...]:
    """What `work` makes of each item, in the items' order, with at most `most` at a time.

    It must raise nothing. concurrent.futures would do as well, but brings logging with it, a
    twentieth of what a start of the server's command takes.
    """
    waiting = deque(enumerate(items))
    results: dict[int, Result] = {}

    def labour() -> None:
        while True:
            try:
                number, item = waiting.popleft()
            except IndexError:
                return
            results[number] = work(item)

    threads = [threading.Thread(target=labour) for _ in range(min(most, len(items)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_LONGEST_WAIT)
    finally:
        # Whoever interrupts it waits for what has begun, and for nothing else.
        waiting.clear()
    return tuple(results[number] for number in range(len(items)))
