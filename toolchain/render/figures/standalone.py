"""A picture as a file of its own: with its style, its title, and its reasons as text below."""

from dataclasses import replace

from toolchain.render.figures.figure import Figure
from toolchain.render.figures.style import STANDALONE_CSS
from toolchain.render.figures.svg import box, text
from toolchain.render.figures.text import SMALL, TITLE, fitted, width_of, wrapped

_MARGIN, _TOP, _LINE, _GAP, _LEAST = 24, 52, 17, 8, 760


def figure_file(figure: Figure) -> str:
    """The file's text; no script, no font, no address but the name space of SVG."""
    titled = width_of(figure.title, TITLE, bold=True)
    inner = max(figure.width, titled, _LEAST)
    whole = replace(figure, width=inner + 2 * _MARGIN)
    notes, end = _notes(figure, inner, _TOP + figure.height)
    height = end + _MARGIN
    body = (
        f"<style>{STANDALONE_CSS}</style>",
        box(0, 0, whole.width, height, "figure-ground", corner=0),
        text(_MARGIN, 32, figure.title, "figure-title"),
        f'<g transform="translate({_MARGIN} {_TOP})">',
        *figure.body,
        "</g>",
        *notes,
    )
    return whole.framed(height, body) + "\n"


def _notes(figure: Figure, width: int, y: int) -> tuple[list[str], int]:
    """Every reason as lines of text, to which the links of the picture lead, and where they end."""
    found: list[str] = []
    for reason in figure.reasons:
        y += _GAP + _LINE
        heading = fitted(reason.heading, width, SMALL, bold=True)
        line = text(_MARGIN, y, heading, "figure-small figure-strong")
        found.append(f'<g id="{reason.anchor}">{line}</g>')
        for fact in reason.facts:
            place = f" ({fact.origin.file}:{fact.origin.line})" if fact.origin else ""
            for part in wrapped(f"{fact.sentence}{place}", width - 16, SMALL):
                y += _LINE
                found.append(text(_MARGIN + 16, y, part, "figure-small figure-quiet"))
    return found, y
