"""A big matrix in little: where servers fit shards, as a shape that the eye takes in at once."""

from collections.abc import Iterator
from itertools import groupby

from toolchain.matrix.compatibility import Matrix
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.svg import box, line, text
from toolchain.render.figures.text import SMALL, width_of

_SMALLEST, _LARGEST, _SIDE = 4, 28, 400
_TOP = 40


def overview_figure(matrix: Matrix) -> Figure:
    """Rows are servers and columns shard states, oldest first; what fits is filled."""
    count = max(len(matrix.servers), len(matrix.states), 1)
    cell = min(max(_SIDE // count, _SMALLEST), _LARGEST)
    first, last = str(matrix.servers[0]), str(matrix.servers[-1])
    left = width_of("servers", SMALL) + 12
    left = max(left, width_of(first, SMALL) + 12, width_of(last, SMALL) + 12)
    wide, high = cell * len(matrix.states), cell * len(matrix.servers)
    newest = str(matrix.states[-1].handshake.schema)
    fitting = sum(map(sum, matrix.fits))
    whole = len(matrix.servers) * len(matrix.states)
    width = left + max(wide, 220) + width_of(newest, SMALL)
    return Figure(
        name="overview",
        title="The matrix at a glance",
        description=f"Of {whole} pairs of a server and a shard state, {fitting} fit. Rows are"
        f" servers {first} to {last}, columns schemas"
        f" {matrix.states[0].handshake.schema} to {newest}, oldest first.",
        width=width,
        height=_TOP + max(high, 2 * 14) + 6,
        body=tuple(_body(matrix, cell, left, wide, high)),
    )


def _body(matrix: Matrix, cell: int, left: int, wide: int, high: int) -> Iterator[str]:
    quiet = "figure-small figure-quiet"
    oldest, newest = (str(matrix.states[at].handshake.schema) for at in (0, -1))
    yield text(left, 14, f"shards: schema {oldest} to {newest}", quiet)
    yield text(0, 14, "servers", quiet)
    yield text(0, _TOP + 10, str(matrix.servers[0]), quiet)
    if len(matrix.servers) > 1:
        yield text(0, _TOP + max(high, 28) - 1, str(matrix.servers[-1]), quiet)
    yield box(left, _TOP, wide, high, "figure-back-none")
    for row, fits in enumerate(matrix.fits):
        column = 0
        for fit, group in groupby(fits):
            length = len(list(group))
            if fit:
                x, y = left + cell * column, _TOP + cell * row
                yield box(x, y, cell * length, cell, "figure-yes", corner=0)
            column += length
    yield line(left, _TOP, left, _TOP + high, "figure-axis")
    yield line(left, _TOP, left + wide, _TOP, "figure-axis")
