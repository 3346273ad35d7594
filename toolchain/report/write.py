"""The page on disk, whole or not at all; and the day that it bears."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from toolchain.edge.whole_file import write_whole
from toolchain.errors import OutputError, UsageError


def write_page(path: Path, page: str) -> None:
    """Write the page; raises OutputError and leaves what was there before."""
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", "name a file in a writable directory"
        ) from error


def chosen_day(environment: Mapping[str, str]) -> date | None:
    """The day of SOURCE_DATE_EPOCH, in UTC; None where it is not set. Raises UsageError."""
    text = environment.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r} and no time", "write whole seconds since 1970"
        ) from error
