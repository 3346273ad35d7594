"""The story on stderr: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from ..core.duration import spell_duration
from ..core.errors import one_line
from ..phases.activity import Activity, Teller
from ..phases.beside import beside

_REDRAW = 0.2
_PLAIN_EVERY = 10.0
_BAR = 12


def spell_activity(activity: Activity) -> str:
    """An activity on one line: `split-host.migrate (4.1.0) 41 % 410000 of 1000000 rows, …`."""
    parts = [one_line(activity.text)]
    if activity.done is not None:
        parts.append(f"{activity.done} rows")
        if activity.total:
            # The total is an estimate, so nothing is finished before it is.
            parts.append(f"about {min(99, 100 * activity.done // activity.total)} %")
    if activity.rate is not None:
        parts.append(f"{activity.rate:.0f} rows/s")
    if activity.left is not None:
        parts.append(f"about {spell_duration(activity.left)} left")
    return ", ".join(parts)


class Story:
    """Collects what happens on all shards and writes it out; safe to call from any thread."""

    def __init__(self, stream: TextIO, *, live: bool, quiet: bool = False) -> None:
        self._stream = stream
        self._live = live and not quiet
        self._quiet = quiet
        self._lock = threading.Lock()
        self._active: dict[str, Activity] = {}
        self._finished = 0
        self._failed = 0
        self._total = 0
        self._drawn = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the table drawn, where there is one, while a block runs."""
        if not self._live:
            yield
            return
        try:
            with beside(self._redraw):
                yield
        finally:
            with self._lock:
                self._wipe()
                self._stream.flush()

    def expect(self, shards: int) -> None:
        """So many shards will be worked on; the count begins anew."""
        self._total = shards
        self._finished = self._failed = 0

    def teller(self, shard: str) -> Teller:
        """Where one shard's run tells."""
        return _ShardTeller(self, shard)

    def say(self, text: str) -> None:
        """Write a line above the table."""
        if self._quiet:
            return
        with self._lock:
            self._wipe()
            self._stream.write(one_line(text) + "\n")
            self._stream.flush()

    def show(self, shard: str, activity: Activity) -> None:
        """Put a shard's activity into the table."""
        with self._lock:
            self._active[shard] = activity

    def finish(self, shard: str, *, failed: bool) -> None:
        """A shard has been dealt with."""
        with self._lock:
            self._active.pop(shard, None)
            self._finished += 1
            self._failed += failed

    def _redraw(self, over: threading.Event) -> None:
        while not over.wait(_REDRAW):
            with self._lock:
                self._wipe()
                self._draw()
                self._stream.flush()

    def _wipe(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _draw(self) -> None:
        width, height = self._size()
        if self._total > 1:
            failed = f", {self._failed} failed" if self._failed else ""
            self._line(f"{self._finished} of {self._total} shards finished{failed}", width)
        names = sorted(self._active)
        room = max(height - 3, 1)
        column = max((len(name) for name in names[:room]), default=0)
        for name in names[:room]:
            activity = self._active[name]
            self._line(f"{name:<{column}}  {_bar(activity)}{spell_activity(activity)}", width)
        if len(names) > room:
            self._line(f"… and {len(names) - room} more", width)

    def _size(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            size = os.terminal_size((80, 24))
        return size.columns or 80, size.lines or 24

    def _line(self, text: str, width: int) -> None:
        self._stream.write(text[: max(width - 1, 20)] + "\n")
        self._drawn += 1


@dataclass
class _ShardTeller:
    story: Story
    shard: str
    _last: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        self.story.say(f"{self.shard}: {text}")

    def show(self, activity: Activity) -> None:
        self.story.show(self.shard, activity)
        now = time.monotonic()
        if not self.story._live and activity.done is not None and now - self._last >= _PLAIN_EVERY:
            self._last = now
            self.say(spell_activity(activity))


def _bar(activity: Activity) -> str:
    if activity.done is None or not activity.total:
        return ""
    filled = min(_BAR, _BAR * activity.done // activity.total)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] "
