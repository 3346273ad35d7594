"""The line of signs and their meanings above a picture."""

from collections.abc import Iterable

from toolchain.render.figures.svg import text
from toolchain.render.figures.text import SMALL, width_of

HEIGHT = 24
_SIGN, _GAP = 26, 18


def legend(entries: Iterable[tuple[str, str]], width: int) -> tuple[tuple[str, ...], int]:
    """The markup and its height; each entry is a sign, drawn in 20 by 14 pixels, and its meaning.

    Signs go on in the next line where the width ends.
    """
    parts: list[str] = []
    x, y = 0, 0
    for sign, meaning in entries:
        needed = _SIGN + width_of(meaning, SMALL)
        if x and x + needed > width:
            x, y = 0, y + HEIGHT
        parts.append(f'<g transform="translate({x} {y + 4})">{sign}</g>')
        parts.append(text(x + _SIGN, y + 15, meaning, "figure-small figure-quiet"))
        x += needed + _GAP
    return tuple(parts), y + HEIGHT
