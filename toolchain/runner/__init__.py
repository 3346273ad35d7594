"""What database and server packages carry to run phases and to check at start: an island.

Python 3.9, the standard library and psycopg2 only; it works from wherever it is copied to.
"""

from __future__ import annotations

from typing import Any


def main(**options: Any) -> int:
    """Run the database package's command; see `commands.main`, imported when it is needed."""
    from .commands import main as run  # noqa: PLC0415 - what needs no psycopg2 does without it

    return run(**options)


__all__ = ["main"]
