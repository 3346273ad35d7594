"""The few shapes that pictures are made of; every text is escaped here and nowhere else."""

from collections.abc import Sequence
from html import escape

from toolchain.render.figures.text import SIZE, SMALL, printable, width_of

_FAR = 500  # from here on a label is likely out of sight


def text(
    x: int,
    y: int,
    content: str,
    kind: str = "",
    *,
    anchor: str = "start",
    turned: bool = False,
) -> str:
    """A line of text on the base line `y`; turned, it reads upwards from there."""
    turn = f' transform="rotate(-90 {x} {y})"' if turned else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}"{_class(kind)}{place}{turn}>{escaped(content)}</text>'


def fitting(x: int, y: int, width: int, choices: Sequence[str], kind: str = "") -> str:
    """The first of some small texts that has room, in the middle of a width; nothing for none."""
    for content in choices:
        if width_of(content, SMALL) <= width - 6:
            return text(x + width // 2, y, content, f"figure-small {kind}".strip(), anchor="middle")
    return ""


def beside(x: int, y: int, least: int, content: str) -> str:
    """A row's name again, to the left of what it is about, where its label is far off.

    Nothing where it would come nearer to the label than `least`.
    """
    if x - width_of(content, SMALL) < least + _FAR:
        return ""
    name = text(x, y, content, "figure-small figure-quiet", anchor="end")
    return f'<g aria-hidden="true">{name}</g>'


def line(x1: int, y1: int, x2: int, y2: int, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{_class(kind)}/>'


def box(
    x: int, y: int, width: int, height: int, kind: str = "", *, fill: str = "", corner: int = 2
) -> str:
    """A rectangle, its corners slightly round; `fill` is the id of a pattern that goes over it."""
    filled = f' fill="url(#{fill})"' if fill else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{corner}"'
        f"{_class(kind)}{filled}/>"
    )


def circle(x: int, y: int, radius: int, kind: str) -> str:
    """A circle around a point."""
    return f'<circle cx="{x}" cy="{y}" r="{radius}"{_class(kind)}/>'


def polygon(points: tuple[tuple[int, int], ...], kind: str) -> str:
    """A closed shape."""
    joined = " ".join(f"{x},{y}" for x, y in points)
    return f'<polygon points="{joined}"{_class(kind)}/>'


def link(anchor: str, said: str, *content: str, focus: bool = True) -> str:
    """What opens a reason; without focus it is for the pointer, and a neighbour says the same."""
    out = "" if focus else ' tabindex="-1"'
    title = f"<title>{escaped(said)}</title>"
    return f'<a href="#{escaped(anchor)}"{out}>{title}{"".join(content)}</a>'


def hatch(name: str) -> str:
    """The definition of a hatched fill, to be used by its id."""
    return (
        f'<defs><pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" class="figure-hatch"/></pattern></defs>'
    )


def label_width(*labels: str, size: int = SIZE) -> int:
    """The room that the widest of these labels needs."""
    return max((width_of(printable(label), size) for label in labels), default=0)


def escaped(content: str) -> str:
    """Text as markup, in an attribute too; no control character is left."""
    return escape(printable(content))


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
