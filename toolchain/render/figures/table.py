"""The frame of the pictures that have a row for each thing and a column for each release."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolchain.render.figures.svg import box, label_width, line, text
from toolchain.render.figures.text import SMALL

# A wide chain has its releases' names turned, so that a hundred of them stay a picture.
_FEW, _TURNED_PITCH = 20, 22
# After so many rows the names of the columns stand again: their first line is out of sight by then.
_BAND = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of equal width from `left` on, rows of equal height from `top` on, in CSS pixels."""

    columns: tuple[str, ...]
    rows: int
    left: int
    top: int
    pitch: int
    height: int
    turned: bool
    header: int

    @classmethod
    def of(
        cls,
        columns: Sequence[object],
        *,
        rows: int,
        left: int,
        top: int,
        height: int,
        least: int = 0,
    ) -> "Table":
        """A table with room for the names of its columns, and for `least` pixels in each."""
        names = tuple(map(str, columns))
        turned = len(names) > _FEW
        widest = label_width(*names, size=SMALL)
        return cls(
            columns=names,
            rows=rows,
            left=left,
            top=top,
            pitch=max(least, _TURNED_PITCH if turned else max(widest + 12, 56)),
            height=height,
            turned=turned,
            header=widest + 12 if turned else 24,
        )

    def edge(self, column: int) -> int:
        """Where a column begins."""
        return self.left + self.pitch * column

    def middle(self, column: int) -> int:
        """The middle of a column."""
        return self.edge(column) + self.pitch // 2

    def row(self, at: int) -> int:
        """Where a row begins."""
        return self.top + self.header * (1 + at // _BAND) + self.height * at

    @property
    def right(self) -> int:
        """Where the last column ends."""
        return self.edge(len(self.columns))

    @property
    def bottom(self) -> int:
        """Where the last row ends."""
        return self.row(max(self.rows - 1, 0)) + self.height

    def grid(self, width: int) -> Iterator[str]:
        """The names of the columns, a stripe under every other row, and a line for each column."""
        for at in range(0, max(self.rows, 1), _BAND):
            top = self.row(at)
            yield from (
                text(
                    self.middle(column) + 4, top - 6, name, "figure-small figure-quiet", turned=True
                )
                if self.turned
                else text(
                    self.middle(column), top - 8, name, "figure-small figure-quiet", anchor="middle"
                )
                for column, name in enumerate(self.columns)
            )
            end = self.row(min(at + _BAND, self.rows) - 1) + self.height
            for row in range(at + 1, min(at + _BAND, self.rows), 2):
                yield box(0, self.row(row), width, self.height, "figure-stripe")
            for column in range(len(self.columns) + 1):
                x = self.edge(column)
                yield line(x, top, x, end, "figure-grid")
