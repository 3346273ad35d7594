"""A time axis in days, with rows below it; the dates are those of the specs, never a clock's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from toolchain.render.figures.svg import box, label_width, line, text
from toolchain.render.figures.text import SMALL

_HEADER, _BAND = 24, 20
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)  # months from tick to tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`first` stands at `left` and `last` at `right`, in CSS pixels."""

    first: date
    last: date
    left: int
    right: int
    top: int
    rows: int
    row_height: int

    @classmethod
    def of(
        cls, dates: Sequence[date], *, left: int, width: int, top: int, rows: int, row_height: int
    ) -> "Calendar":
        """The axis from the earliest to the latest of these dates, one at the least."""
        return cls(
            first=min(dates),
            last=max(dates),
            left=left,
            right=left + width,
            top=top,
            rows=rows,
            row_height=row_height,
        )

    def x(self, day: date) -> int:
        """Where a day stands."""
        whole = max((self.last - self.first).days, 1)
        return self.left + (day - self.first).days * (self.right - self.left) // whole

    def row(self, at: int) -> int:
        """Where a row begins; the axis stands again above every twentieth."""
        return self.top + _HEADER * (1 + at // _BAND) + self.row_height * at

    @property
    def bottom(self) -> int:
        """Where the last row ends."""
        return self.row(self.rows - 1) + self.row_height

    def grid(self, width: int) -> Iterator[str]:
        """The ticks, with their dates, and a stripe under every other row."""
        ticks = self._ticks()
        for at in range(0, self.rows, _BAND):
            top, last = self.row(at), min(at + _BAND, self.rows) - 1
            for row in range(at + 1, last + 1, 2):
                yield box(0, self.row(row), width, self.row_height, "figure-stripe")
            for day, label in ticks:
                x = self.x(day)
                yield text(x, top - 8, label, "figure-small figure-quiet", anchor="middle")
                yield line(x, top - 4, x, self.row(last) + self.row_height, "figure-grid")

    def _ticks(self) -> list[tuple[date, str]]:
        """The first days of months with room between them; of a short time both ends."""
        months = self._months()
        room = label_width("2000-00", size=SMALL) + 14
        for step in _STEPS:
            chosen = [day for day in months if (day.year * 12 + day.month - 1) % step == 0]
            if len(chosen) < 2:
                break
            places = [self.x(day) for day in chosen]
            if all(after - before >= room for before, after in pairwise(places)):
                return [(day, f"{day:%Y-%m}") for day in chosen]
        return [(day, f"{day}") for day in dict.fromkeys((self.first, self.last))]

    def _months(self) -> list[date]:
        begin = self.first.year * 12 + self.first.month - (self.first.day == 1)
        end = self.last.year * 12 + self.last.month
        return [date(month // 12, month % 12 + 1, 1) for month in range(begin, end)]
