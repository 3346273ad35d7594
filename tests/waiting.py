"""Looking at what another process is still writing."""

from pathlib import Path


def appeared(directory: Path, pattern: str) -> bool:
    """Whether a path below the directory matches; directories may vanish while one looks."""
    try:
        return any(True for _ in directory.glob(pattern))
    except FileNotFoundError:
        return False
