"""Something that goes on in a thread of its own, for as long as a block of code does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(
    work: Callable[[threading.Event], None], *, patience: float | None = None
) -> Iterator[None]:
    """Run `work` until the block ends; it hears of the end by the event.

    Then it is waited for, at most `patience` seconds where there is such a limit.
    """
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(patience)
