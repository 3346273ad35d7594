"""Declared against measured: one cell's verdict, and a release's."""

from collections.abc import Iterable
from enum import Enum

from toolchain.matrix.measured.values import Cell


class Verdict(Enum):
    """What a cell says; the value is its word in reports."""

    FITS = "fits"
    REFUSED = "no"
    FALSE_PROMISE = "false"
    COULD_BE_WIDER = "wider"
    PROMISED = "promised"
    NOT_PROMISED = "not promised"

    @property
    def meaning(self) -> str:
        """The word in a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.FITS: "the windows let it run here, and it works",
    Verdict.REFUSED: "the windows refuse it here, and it fails",
    Verdict.FALSE_PROMISE: "the windows let it run here, and it fails",
    Verdict.COULD_BE_WIDER: "the windows refuse it here, and all that was tried works",
    Verdict.PROMISED: "the windows let it run here; not measured",
    Verdict.NOT_PROMISED: "the windows refuse it here; not measured",
}


def verdict(cell: Cell) -> Verdict:
    """What one cell says.

    Half-way a shard says less of itself than it could, because its numbers move conservatively:
    what works there without being promised is no news.
    """
    if cell.failures is None:
        return Verdict.PROMISED if cell.declared else Verdict.NOT_PROMISED
    if cell.declared:
        return Verdict.FITS if cell.works else Verdict.FALSE_PROMISE
    if cell.works and cell.state.ends:
        return Verdict.COULD_BE_WIDER
    return Verdict.REFUSED


def overall(cells: Iterable[Cell]) -> Verdict:
    """What the cells of one server in one release's states say together: the last, or the worst."""
    last = Verdict.NOT_PROMISED
    for cell in cells:
        last = verdict(cell)
        if last is Verdict.FALSE_PROMISE:
            return last
    return last
