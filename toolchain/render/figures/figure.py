"""A picture, and the reasons that its parts open."""

import re
from dataclasses import dataclass

from toolchain.model.origin import Origin
from toolchain.render.figures.svg import escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence as plain text, and the line of the spec that says so."""

    sentence: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a cell or an edge opens; `anchor` is the fragment that links name, without its `#`."""

    anchor: str
    heading: str
    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        if re.fullmatch(r"reason-[a-z0-9.-]+", self.anchor) is None:
            raise ValueError(f"{self.anchor!r} is not an anchor: make it with anchor()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture of that many CSS pixels; `body` is markup, the other texts are plain.

    `name` is its own among all pictures of a page: ids begin with it.
    """

    name: str
    title: str
    description: str
    width: int
    height: int
    body: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()

    @property
    def svg(self) -> str:
        """The markup for a page that has the style; one that holds links is no mere image."""
        return self.framed(self.height, self.body)

    def framed(self, height: int, body: tuple[str, ...]) -> str:
        """The markup around a body."""
        prefix = f"figure-{self.name}"
        role = "group" if self.reasons else "img"
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="{role}"'
                f' viewBox="0 0 {self.width} {height}" width="{self.width}" height="{height}"'
                f' aria-labelledby="{prefix}-title" aria-describedby="{prefix}-description">',
                f'<title id="{prefix}-title">{escaped(self.title)}</title>',
                f'<desc id="{prefix}-description">{escaped(self.description)}</desc>',
                *(part for part in body if part),
                "</svg>",
            )
        )


def anchor(*parts: object) -> str:
    """A fragment of these parts; whatever has no place in one becomes a dash."""
    return re.sub(r"[^a-z0-9.]+", "-", f"reason {' '.join(map(str, parts))}".lower()).strip("-")
