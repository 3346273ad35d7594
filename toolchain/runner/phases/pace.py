"""How fast a migrate step goes: batch size by time, rate by wish, and how long it still takes."""

from __future__ import annotations

from collections import deque

_FIRST = 200
_LARGEST = 50_000
_WINDOW = 30.0


class BatchSize:
    """The number of rows whose batch takes about the time that is wanted."""

    def __init__(self, target: float, max_rate: int | None) -> None:
        self._target = target
        # Half a second's worth at most, so that a limited rate stays even.
        self._largest = _LARGEST if max_rate is None else max(1, min(max_rate // 2, _LARGEST))
        self.rows = min(_FIRST, self._largest)

    def learn(self, rows: int, seconds: float) -> None:
        """Adapt to a batch, at most by half or double; a last short one says nothing."""
        if rows < self.rows and seconds < self._target:
            return
        factor = min(max(self._target / max(seconds, 0.0001), 0.5), 2.0)
        self.rows = min(max(int(self.rows * factor), 1), self._largest)

    def shrink(self) -> None:
        """Take fewer rows after a deadlock or a lock that was not had."""
        self.rows = max(self.rows // 2, 1)


class Meter:
    """Rows done, their rate over the last half minute, and the time left."""

    def __init__(self, done: int, total: int | None, now: float) -> None:
        self.done = done
        self.total = total if total and total > 0 else None
        self._recent = deque([(now, done)])

    def add(self, rows: int, now: float) -> None:
        """Count a batch."""
        self.done += rows
        self._recent.append((now, self.done))
        while len(self._recent) > 2 and now - self._recent[0][0] > _WINDOW:
            self._recent.popleft()

    @property
    def rate(self) -> float | None:
        """Rows a second, None before anything was measured."""
        (began, before), (now, after) = self._recent[0], self._recent[-1]
        return (after - before) / (now - began) if now > began else None

    @property
    def left(self) -> float | None:
        """Seconds left by the estimate of all rows, None where there is none."""
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate


def rest(rows: int, seconds: float, max_rate: int | None, pause: float) -> float:
    """How long to rest after a batch so that the rate is kept."""
    wanted = 0.0 if max_rate is None else rows / max_rate
    return max(wanted - seconds, pause, 0.0)
