"""One fleet's way to the newest release, as a row of the rollout picture."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.rollout.routes import Route
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.waves import Plan, Wave
from toolchain.plan.rollout.world.inventory import Side
from toolchain.render.figures.figure import Fact, Reason, anchor
from toolchain.render.figures.marks import mark, told
from toolchain.render.figures.svg import beside, circle, line, link, text
from toolchain.render.figures.table import Table
from toolchain.render.figures.wave_reason import bare, wave_facts

HEIGHT = 58
SLOT = 24  # the room of one sign, in pixels
_LANES = {Side.SHARDS: 17, Side.SERVERS: 42}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """A route, of which the first `most` waves are shown."""

    route: Route
    most: int

    @property
    def waves(self) -> tuple[Wave, ...]:
        """The waves that are shown; none where there is no way."""
        answer = self.route.answer
        return answer.waves[: self.most] if isinstance(answer, Plan) else ()

    @property
    def left_out(self) -> int:
        """How many waves come after those that are shown."""
        answer = self.route.answer
        return len(answer.waves) - len(self.waves) if isinstance(answer, Plan) else 0

    @property
    def name(self) -> str:
        """The label of the row."""
        return f"from {self.route.start}"

    @property
    def length(self) -> str:
        """How many waves there are."""
        answer = self.route.answer
        if isinstance(answer, Exclusion):
            return "no way"
        if not isinstance(answer, Plan):
            return "does not fit itself"
        count = len(answer.waves)
        counted = f"{count} wave{'' if count == 1 else 's'}"
        return f"{counted}, first {self.most}" if self.left_out else counted

    @property
    def crowd(self) -> int:
        """The most signs that stand in one cell of one lane."""
        cells = Counter((wave.side, wave.release) for wave in self.waves)
        return max(cells.values(), default=1)

    def reason(self, product: Product) -> Reason:
        """Every wave that is shown with its stops, or why there is no way."""
        route, answer = self.route, self.route.answer
        if isinstance(answer, Plan):
            facts = tuple(
                fact
                for wave in self.waves
                for fact in (
                    Fact(sentence=f"{told(wave).capitalize()}."),
                    *wave_facts(product, wave),
                )
            )
            if self.left_out:
                facts += (Fact(sentence=f"{self.left_out} more waves come after these."),)
        else:
            refusals = (
                [refusal for _, refusal in answer.refusals]
                if isinstance(answer, Exclusion)
                else [pair.refusal for pair in answer]
            )
            facts = tuple(
                Fact(sentence=f"In the way: {bare(refusal)}.", origin=refusal.origin)
                for refusal in refusals
            )
        return Reason(
            anchor=self._anchor,
            heading=f"From {route.start} to {route.target}: {self.length}",
            facts=facts,
        )

    def drawn(self, table: Table, y: int, places: Mapping[Version, int]) -> Iterator[str]:
        """The label, which opens the reasons, and a lane for each side."""
        route = self.route
        yield link(
            self._anchor,
            f"{self.name} to {route.target}: {self.length}",
            text(0, y + 24, self.name, "figure-linked"),
        )
        yield text(0, y + 42, self.length, "figure-small figure-quiet")
        start = table.middle(places[route.start])
        middle = sum(_LANES.values()) // 2
        yield beside(start - SLOT // 2, y + middle + 4, table.left, str(route.start))
        for side, lane in _LANES.items():
            links = []
            before = start
            for wave, x in self._places(table, side, places):
                edge = line(before, y + lane, x, y + lane, "figure-way")
                sign = mark(wave, x, y + lane)
                links.append(link(self._anchor, _said(wave), edge, sign, focus=False))
                before = x
            if self.left_out:
                end = table.middle(places[route.target])
                yield line(before, y + lane, end, y + lane, "figure-more")
            # The last first, so that no edge crosses the sign that it comes from.
            yield from reversed(links)
            yield circle(start, y + lane, 4, "figure-start")

    def _places(
        self, table: Table, side: Side, places: Mapping[Version, int]
    ) -> Iterator[tuple[Wave, int]]:
        """The waves of a side with the middle of their signs; those of one cell stand abreast."""
        mine = [wave for wave in self.waves if wave.side is side]
        crowds = Counter(wave.release for wave in mine)
        seen: Counter[Version] = Counter()
        for wave in mine:
            aside = SLOT * (2 * seen[wave.release] - crowds[wave.release] + 1) // 2
            seen[wave.release] += 1
            yield wave, table.middle(places[wave.release]) + aside

    @property
    def _anchor(self) -> str:
        return anchor("rollout", self.route.start)


def _said(wave: Wave) -> str:
    if wave.next is None:
        return told(wave)
    return f"{told(wave)}; they rest there before {wave.next}"
