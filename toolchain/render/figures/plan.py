"""One plan as a picture: a lane for the shards and one for the servers, over the waves."""

from collections.abc import Iterator, Sequence

from toolchain.model.release import Product
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave
from toolchain.plan.rollout.world.inventory import Side
from toolchain.render.figures.figure import Figure, Reason, anchor
from toolchain.render.figures.legend import legend
from toolchain.render.figures.marks import RADIUS, mark, signs, told
from toolchain.render.figures.svg import label_width, line, link, polygon, text
from toolchain.render.figures.text import SMALL, fitted
from toolchain.render.figures.wave_reason import wave_facts

_LEAST, _PITCH, _ARROW = 640, 84, 34
_FIRST, _LANE = 52, 112  # from the legend to the first lane, and from lane to lane
_STOP, _NO_RETURN = "stop", "point of no return"


def plan_figure(product: Product, plan: Plan) -> Figure:
    """The picture; a plan without waves is one with nothing to do in it."""
    drawing = _Drawing(plan)
    count = f"{len(plan.waves)} wave{'' if len(plan.waves) == 1 else 's'}"
    sentences = [f"{told(wave).capitalize()}." for wave in plan.waves] or ["Nothing to do."]
    return Figure(
        name="plan",
        title=f"{product.name} to {plan.target} in {count}",
        description=" ".join(sentences),
        width=drawing.width,
        height=drawing.bottom + 26,
        body=tuple(drawing.drawn()),
        reasons=tuple(
            Reason(
                anchor=_anchor(wave),
                heading=told(wave).capitalize(),
                facts=tuple(wave_facts(product, wave)),
            )
            for wave in plan.waves
        ),
    )


class _Drawing:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left = 24 + label_width(*(self._who(side) for side in Side))
        self._left = max(self._left, 24 + label_width(*map(self._where, Side), size=SMALL))
        below = label_width(*(each for one in plan.waves for each in _below(one)), size=SMALL)
        above = label_width(*(str(wave.release) for wave in plan.waves))
        self._pitch = max(_PITCH, above + 12, below + 12)
        self._right = self._left + self._pitch * len(plan.waves) + _ARROW
        self.width = max(_LEAST, self._right + label_width(str(plan.target)) + 16)
        self._legend, height = legend(signs(), self.width)
        self._lanes = {Side.SHARDS: height + _FIRST, Side.SERVERS: height + _FIRST + _LANE}
        self.bottom = self._lanes[Side.SERVERS] + 68

    def drawn(self) -> Iterator[str]:
        yield from self._legend
        for wave in self._plan.waves:
            x = self._middle(wave)
            yield line(x, self._lanes[Side.SHARDS] - 36, x, self.bottom - 6, "figure-grid")
        for side in Side:
            yield from self._lane(side)
        yield from self._no_return()

    def _lane(self, side: Side) -> Iterator[str]:
        y = self._lanes[side]
        tip = self._right
        yield line(self._left, y, tip, y, "figure-way")
        yield polygon(((tip, y - 5), (tip + 9, y), (tip, y + 5)), "figure-tip")
        yield text(0, y - 3, self._who(side), "figure-strong")
        yield text(0, y + 14, self._where(side), "figure-small figure-quiet")
        for wave in self._plan.waves:
            if wave.side is side:
                yield from self._wave(wave, self._middle(wave), y)

    def _wave(self, wave: Wave, x: int, y: int) -> Iterator[str]:
        lines = (
            text(
                x,
                y + 28 + 15 * at,
                each,
                f"figure-small {'figure-strong' if each == _STOP else 'figure-quiet'}",
                anchor="middle",
            )
            for at, each in enumerate(_below(wave))
        )
        rests = "" if wave.next is None else f"; they rest there before {wave.next}"
        yield link(
            _anchor(wave),
            told(wave) + rests,
            text(x, y - RADIUS - 9, str(wave.release), "figure-linked", anchor="middle"),
            mark(wave, x, y),
            *lines,
        )

    def _no_return(self) -> Iterator[str]:
        wave = self._plan.point_of_no_return
        if wave is None:
            return
        # Before the wave: once it has begun, there is no way back.
        x = self._middle(wave) - self._pitch // 2
        late = x + label_width(_NO_RETURN) + 10 > self.width
        yield line(x, self._lanes[Side.SHARDS] - 36, x, self.bottom + 12, "figure-return")
        yield text(
            x - 8 if late else x + 8,
            self.bottom + 12,
            _NO_RETURN,
            "figure-ink-no figure-strong",
            anchor="end" if late else "start",
        )

    def _middle(self, wave: Wave) -> int:
        return self._left + self._pitch * (wave.number - 1) + self._pitch // 2

    def _who(self, side: Side) -> str:
        fleet = self._plan.fleet
        count = len(fleet.servers if side is Side.SERVERS else fleet.shards)
        return _counted(count, side)

    def _where(self, side: Side) -> str:
        fleet = self._plan.fleet
        if side is Side.SERVERS:
            return _spread([str(version) for version in fleet.versions])
        return _spread([str(each) for each in sorted({one.state.release for one in fleet.shards})])


def _anchor(wave: Wave) -> str:
    return anchor("plan", wave.number)


def _below(wave: Wave) -> Sequence[str]:
    """What stands under the sign of a wave."""
    lines = [_counted(wave.count, wave.side)]
    if wave.part is Part.PREPARE:
        lines.append("contract waits")
    elif wave.part is Part.CONTRACT:
        lines.append("contract")
    if wave.next is not None:
        lines.append(_STOP)
    return lines


def _spread(versions: Sequence[str]) -> str:
    """Where they stand now: all versions while they are few."""
    joined = ", ".join(versions)
    shown = joined if len(versions) < 3 else f"{versions[0]} to {versions[-1]}"
    return f"at {fitted(shown, 200, SMALL)}" if versions else "none"


def _counted(count: int, side: Side) -> str:
    return f"{count} {side.value if count != 1 else side.value[:-1]}"
