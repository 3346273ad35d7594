"""The matrix as the page draws it: a link for each cell, and others for views that differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.matrix.views import Difference, View, Word
from toolchain.model.version import Version
from toolchain.render.report.content import Pair, Table

# More columns than these stand upright and get no words: what fits is a mark.
_WIDE = 14
# A page holds so many cells as links (70 bytes each), and no more than so many releases at all.
_LINKED = 10_000
_MOST = 300

_CLASSES = {Word.FITS: "y", Word.NO: "n", Word.UNKNOWN: "u"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One word of a cell, its class, and the anchor that it opens; `view` where one differs."""

    word: str
    kind: str
    anchor: str
    view: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell: the declared word first, then those of views that say another.

    `measured` is the number of the reason that a rehearsal has given, empty where there is none.
    """

    marks: tuple[Mark, ...]
    difference: Difference | None
    measured: str

    @property
    def kind(self) -> str:
        """The classes of the cell: which views differ, and how."""
        views = [f"has-{mark.view}" for mark in self.marks if mark.view]
        return " ".join((*views, *([self.difference.value] if self.difference else ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A server with its cells."""

    server: Version
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The whole table; `left_out` older releases are not in it."""

    views: tuple[View, ...]
    columns: tuple[tuple[Version, int], ...]
    rows: tuple[Row, ...]
    wide: bool
    linked: bool
    left_out: int


def grid(table: Table) -> Grid:
    """The table's newest releases, cell by cell."""
    releases = table.views.releases
    first = max(0, len(releases) - _MOST)
    shown = range(first, len(releases))
    return Grid(
        views=tuple(table.views.words),
        columns=tuple((releases[at], table.schemas[at]) for at in shown),
        rows=tuple(
            Row(
                server=releases[row],
                cells=tuple(_cell(table, row, column) for column in shown),
            )
            for row in shown
        ),
        wide=len(shown) > _WIDE,
        linked=len(shown) ** 2 <= _LINKED,
        left_out=first,
    )


def _cell(table: Table, row: int, column: int) -> Cell:
    pair = table.pairs[row][column]
    return Cell(
        marks=tuple(_marks(table, row, column, pair)),
        difference=table.views.difference(row, column),
        measured=pair.measured.rpartition("-")[2],
    )


def _marks(table: Table, row: int, column: int, pair: Pair) -> Iterator[Mark]:
    declared = table.views.words[View.DECLARED][row][column]
    yield Mark(word=declared.value, kind=_CLASSES[declared], anchor=pair.decides)
    anchors = {View.MEASURED: pair.measured, View.PACKAGES: pair.packages}
    for view, rows in table.views.words.items():
        word = rows[row][column]
        if word is not declared:
            yield Mark(
                word=word.value,
                kind=_CLASSES[word],
                anchor=anchors.get(view) or pair.decides,
                view=view.value,
            )
