"""One change as a ribbon: a band for what shards hold of it, and one for what servers use."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from toolchain.matrix.chain import FormChain
from toolchain.matrix.life import Life
from toolchain.model.change import Form, Phase
from toolchain.model.release import Product
from toolchain.render.figures.life_reason import FORMS, PHASES, life_anchor, losing, needing, status
from toolchain.render.figures.svg import beside, box, fitting, line, link, text
from toolchain.render.figures.table import Table
from toolchain.render.figures.text import SMALL, fitted

LONGEST = 220  # how wide the name of a change may be
HEIGHT = 58
HATCH = "figure-life-hatch"
_BAND = 15
_MARKS, _SHARD, _SERVER = 13, 18, 37  # base line of the phases, tops of the two bands

# What a shard holds of a change: the class of its band, and the words that have room in it.
_OLD, _PART, _READY, _LIVE, _GONE = (
    ("none", ("shards: old form", "old form", "old")),
    ("part", ("shards: being made", "being made", "made")),
    ("new", ("shards: ready", "ready")),
    ("both", ("shards: both forms", "both forms", "both")),
    ("new", ("shards: new form alone", "new form", "new")),
)

_Kind = TypeVar("_Kind")


def being_made(x: int, y: int, width: int, height: int) -> str:
    """A band of a shard that has the new form in part."""
    return box(x, y, width, height, "figure-back-part") + box(x, y, width, height, fill=HATCH)


def runs(values: Sequence[_Kind]) -> Iterator[tuple[_Kind, int, int]]:
    """Each value with where its run begins and ends."""
    begin = 0
    for value, group in groupby(values):
        end = begin + len(list(group))
        yield value, begin, end
        begin = end


class Ribbon:
    """One change: its band of shards, its band of servers, and what they open."""

    def __init__(
        self, product: Product, chain: FormChain, life: Life, table: Table, at: int, *, alike: bool
    ) -> None:
        self._product = product
        self._chain = chain
        self._life = life
        self._table = table
        self._top = table.row(at)
        self._alike = alike
        self._place = {link.version: place for place, link in enumerate(chain.links)}

    def drawn(self) -> Iterator[str]:
        """The label, which opens all that is known of the change, and the two bands."""
        name = self._life.change
        told = status(self._life, alike=self._alike)
        yield link(
            life_anchor(self._life),
            f"{name}: {told}; its whole life",
            text(0, self._top + 29, fitted(name, LONGEST), "figure-linked"),
        )
        yield text(0, self._top + 47, told, "figure-small figure-quiet")
        born = self._table.edge(self._place[self._life.moments[0].release])
        yield beside(born, self._top + _MARKS, self._table.left, fitted(name, LONGEST, SMALL))
        yield from self._shards()
        yield from self._servers()
        yield from self._phases()

    def _shards(self) -> Iterator[str]:
        held = [self._held(at) for at in range(len(self._chain.links))]
        for state, begin, end in runs(held):
            kind, words = state
            x, width = self._span(begin, end)
            y = self._top + _SHARD
            yield (
                being_made(x, y, width, _BAND)
                if state is _PART
                else box(x, y, width, _BAND, f"figure-back-{kind}")
            )
            yield fitting(x, y + 11, width, words, f"figure-ink-{kind}")

    def _held(self, at: int) -> tuple[str, tuple[str, ...]]:
        held, change = self._chain.held[at], self._life.change
        if change in held.contracted:
            return _GONE
        if change in held.ready:
            return _LIVE if self._life.users(Form.OLD) and not self._alike else _READY
        return _PART if change in held.expanded else _OLD

    def _servers(self) -> Iterator[str]:
        y = self._top + _SERVER
        if self._alike:
            x, width = self._span(0, len(self._chain.links))
            yield fitting(x, y + 11, width, ("servers see no difference",), "figure-ink-none")
            return
        for form, begin, end in runs([use.form for use in self._life.uses]):
            x, width = self._span(begin, end)
            kind = "none" if form is Form.OLD else form.value
            said = f"servers {self._named(begin, end)} use {FORMS[form]} of {self._life.change}"
            yield link(
                life_anchor(self._life),
                said,
                box(x, y, width, _BAND, f"figure-back-{kind}"),
                fitting(
                    x, y + 11, width, (f"servers: {form.value}", form.value), f"figure-ink-{kind}"
                ),
                focus=False,
            )
        for begin in self._beginnings():
            x = self._table.edge(begin) + 2
            yield line(x, y - 2, x, y + _BAND + 2, "figure-edge-new")
        for end in self._endings():
            x = self._table.edge(end) - 2
            yield line(x, y - 2, x, y + _BAND + 2, "figure-edge-no")

    def _phases(self) -> Iterator[str]:
        found: dict[int, list[Phase]] = {}
        for moment in self._life.moments:
            found.setdefault(self._place[moment.release], []).append(moment.phase)
        for at, phases in found.items():
            version = self._chain.links[at].version
            told = " and ".join(PHASES[phase] for phase in phases)
            spans = "".join(
                f'<tspan class="figure-ink-{phase.value}">{phase.value[0].upper()}</tspan>'
                for phase in phases
            )
            yield link(
                life_anchor(self._life),
                f"{version} {told} {self._life.change}",
                f'<text x="{self._table.middle(at)}" y="{self._top + _MARKS}"'
                f' class="figure-small figure-strong" text-anchor="middle">{spans}</text>',
                focus=False,
            )

    def _span(self, begin: int, end: int) -> tuple[int, int]:
        """Where a run of columns begins, and how wide it is."""
        x = self._table.edge(begin)
        return x + 1, self._table.edge(end) - x - 2

    def _named(self, begin: int, end: int) -> str:
        first, last = self._chain.links[begin].version, self._chain.links[end - 1].version
        return str(first) if first == last else f"{first} to {last}"

    def _beginnings(self) -> Iterator[int]:
        for release in needing(self._product, self._life):
            yield self._place[release.version]

    def _endings(self) -> Iterator[int]:
        """Before which columns the servers end that a contract leaves behind."""
        for release in losing(self._product, self._life):
            oldest = release.database.servers.oldest
            yield sum(link.version < oldest for link in self._chain.links)
