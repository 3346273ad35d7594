"""Looking at what another process is still writing."""

import time
from collections.abc import Callable
from pathlib import Path


def appeared(directory: Path, pattern: str) -> bool:
    """Whether a path below the directory matches; directories may vanish while one looks."""
    try:
        return any(True for _ in directory.glob(pattern))
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Look ten times a second until the condition holds; fails after a generous time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{condition} did not come true"
        time.sleep(0.1)
