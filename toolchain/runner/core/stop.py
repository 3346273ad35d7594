"""Stopping on request: once to end between two statements, twice to cancel the running one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .errors import Interrupted
from .session import Session


class Stop:
    """The operator's wish to stop, shared by all threads."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._wished = False
        self._sessions: set[Session] = set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked.is_set()

    def ask(self, tell: Callable[[bool], None] = lambda _: None) -> None:
        """Ask to stop; a second time, cancel what runs at the moment.

        `tell` hears before it happens whether it is the second time.
        """
        with self._lock:
            again, self._wished = self._wished, True
            sessions = tuple(self._sessions)
        try:
            tell(again)
        finally:
            self._asked.set()
            if again:
                for session in sessions:
                    session.cancel()

    def check(self) -> None:
        """Raise Interrupted when somebody asked to stop."""
        if self.asked:
            raise Interrupted("stopped on request", "run it again and it goes on where it was")

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until somebody asks to stop; raises Interrupted then."""
        self._asked.wait(max(seconds, 0))
        self.check()

    @contextmanager
    def watching(self, session: Session) -> Iterator[Session]:
        """Let a second request cancel what this session runs; closes it at the end."""
        with self._lock:
            self._sessions.add(session)
        try:
            yield session
        finally:
            with self._lock:
                self._sessions.discard(session)
            session.close()


@contextmanager
def stop_on_signals(stop: Stop, announce: Callable[[str], None]) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into requests to stop; only the main thread can."""

    def answer(number: int) -> None:
        name = signal.Signals(number).name
        first = f"{name}: stopping after the running statements; once more cancels them"
        stop.ask(lambda again: announce("cancelling the running statements" if again else first))

    def handle(number: int, _frame: FrameType | None) -> None:
        # Not in a signal handler's place: to cancel opens connections, and to announce takes a
        # lock, which the code that was interrupted may hold; that may be the first signal's.
        threading.Thread(target=answer, args=(number,), daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
