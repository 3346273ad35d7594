"""Which releases of procrastinate become the product, and what no file tells about them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from procrastinate_product.errors import RequestError

# Every release that brought a migration, the one before it, and some that brought none.
CHAIN = (
    "2.0.0", "2.0.3", "2.5.0", "2.6.0", "2.8.0", "2.9.2", "2.14.1", "2.15.1",
    "3.0.0", "3.0.2", "3.1.0", "3.2.2", "3.3.0", "3.4.0", "3.5.3", "3.10.0",
)  # fmt: skip

# The day on which each wheel was uploaded (UTC), as the index's `upload-time` has it (PEP 700).
# The files themselves do not say: their archives carry 1980, 2016 or 2020 as a constant.
UPLOADED = {
    "2.0.0": "2024-03-10", "2.0.1": "2024-03-19", "2.0.2": "2024-03-20", "2.0.3": "2024-03-23",
    "2.1.0": "2024-03-25", "2.2.0": "2024-04-17", "2.3.0": "2024-05-21", "2.4.0": "2024-06-17",
    "2.5.0": "2024-06-18", "2.6.0": "2024-06-21", "2.7.0": "2024-06-25", "2.8.0": "2024-07-06",
    "2.9.0": "2024-07-20", "2.9.1": "2024-07-24", "2.9.2": "2024-07-31", "2.10.0": "2024-08-08",
    "2.11.0": "2024-08-09", "2.12.0": "2024-08-14", "2.13.0": "2024-08-15", "2.13.1": "2024-08-15",
    "2.13.2": "2024-08-19", "2.14.0": "2024-09-19", "2.14.1": "2024-10-08", "2.15.0": "2024-10-19",
    "2.15.1": "2024-11-26", "3.0.0": "2025-01-24", "3.0.2": "2025-01-28", "3.1.0": "2025-03-22",
    "3.2.1": "2025-05-14", "3.2.2": "2025-05-16", "3.3.0": "2025-07-06", "3.4.0": "2025-07-18",
    "3.5.0": "2025-07-31", "3.5.1": "2025-08-07", "3.5.2": "2025-08-23", "3.5.3": "2025-09-26",
    "3.6.0": "2025-12-08", "3.7.0": "2026-01-17", "3.7.1": "2026-01-18", "3.7.2": "2026-01-22",
    "3.7.3": "2026-03-28", "3.8.0": "2026-04-06", "3.8.1": "2026-04-08", "3.9.0": "2026-06-20",
    "3.10.0": "2026-09-23",
}  # fmt: skip

# One set of libraries for all releases, so that two fetches give the same bytes. psycopg-pool stays
# below 3.3: there a pool without keywords has `kwargs` of None, and procrastinate's listener
# spreads it (`connect(**pool.kwargs)`), so that a worker of 2.x ends with a TypeError.
LIBRARIES = (
    "anyio==4.16.0",
    "asgiref==3.13.0",
    "attrs==26.1.0",
    "croniter==7.0.0",
    "idna==3.20",
    "packaging==26.3",
    "psycopg==3.2.13",
    "psycopg-pool==3.2.8",
    "python-dateutil==2.9.0.post0",
    "six==1.17.0",
    "typing-extensions==4.16.0",
)

# Debian 12's. pip chooses the libraries for it, and asgiref needs no less.
PYTHON = "3.11"

_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """A release's version, in order."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Number":
        """Read X.Y.Z; raises RequestError."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise RequestError(f"{text!r} is not a final release X.Y.Z of procrastinate")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One release to package, with the day of its publication."""

    number: Number
    date: date


def choose(versions: Sequence[str], dates: Sequence[str] = ()) -> tuple[Wanted, ...]:
    """The releases to package, in order.

    `dates` are VERSION=YYYY-MM-DD for releases that UPLOADED does not know. Raises RequestError.
    """
    known = dict(UPLOADED)
    for text in dates:
        version, _, day = text.partition("=")
        known[str(Number.parse(version))] = day
    numbers = sorted({Number.parse(version) for version in versions})
    if len(numbers) < 2:
        raise RequestError("a product needs at least two releases, for an upgrade to exist")
    if numbers[0].major < 2:
        raise RequestError(f"procrastinate {numbers[0]} is too old: the oldest here is 2.0.0")
    return tuple(Wanted(number=number, date=_day(number, known)) for number in numbers)


def _day(number: Number, known: dict[str, str]) -> date:
    text = known.get(str(number))
    if text is None:
        raise RequestError(
            f"the day on which procrastinate {number} was published is not known here;"
            f" give it as --date {number}=YYYY-MM-DD"
        )
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{text!r} is not a day; write YYYY-MM-DD") from None
