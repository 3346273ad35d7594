"""A plan as a picture: two lanes, shards and servers, over the waves.

One self-contained file: no script, no font, no link; light and dark by the reader's own setting.
"""

from collections.abc import Iterator, Sequence
from html import escape

from toolchain.plan.rollout.search import Side
from toolchain.plan.rollout.waves import Part, Plan, Wave

_LEFT, _STEP, _RIGHT = 190, 140, 40
_LANES = {Side.SHARDS: 130, Side.SERVERS: 230}
_TOP, _BOTTOM, _HEIGHT = 78, 282, 318
# What fits into a column, in characters of the label's size.
_LONGEST = 16

_STYLE = """
svg { color-scheme: light dark; background: #fff; font: 13px system-ui, sans-serif; }
text { fill: #1f2328; } .quiet { fill: #59636e; font-size: 12px; } .title { font-size: 16px; }
.lane { stroke: #8c959f; stroke-width: 2; } .tick { stroke: #d8dee4; }
.shards { fill: #0969da; } .servers { fill: #1a7f37; } .waits { fill: #fff; stroke: #0969da; }
.waits { stroke-width: 3; } .return { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 6 4; }
.warning { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; } .quiet { fill: #9198a1; }
  .shards { fill: #4493f8; } .servers { fill: #3fb950; } .waits { fill: #0d1117; stroke: #4493f8; }
  .tick { stroke: #30363d; } .return { stroke: #f85149; } .warning { fill: #f85149; }
}
"""


def plan_svg(product: str, plan: Plan) -> str:
    """The picture; a plan without waves is one with nothing to do in it."""
    width = _LEFT + _STEP * max(len(plan.waves), 2) + _RIGHT
    title = f"{product} to {plan.target} in {len(plan.waves)} waves"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" width="{width}"'
        f' height="{_HEIGHT}" role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(" ".join(_told(plan)))}</desc>',
        f"<style>{_STYLE}</style>",
        _text(20, 32, title, "title"),
        *_columns(plan.waves),
        *_lane(plan, Side.SHARDS, width),
        *_lane(plan, Side.SERVERS, width),
        *_no_return(plan, width),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _told(plan: Plan) -> Iterator[str]:
    """The picture in sentences, for those who hear it."""
    if not plan.waves:
        yield "Nothing to do."
    for wave in plan.waves:
        waits = ", the contract waits" if wave.part is Part.PREPARE else ""
        yield f"Wave {wave.number}: {wave.count} {wave.side.value} to {wave.release}{waits}."
        if wave.no_return:
            yield "This is the point of no return."


def _column(wave: Wave) -> int:
    return _LEFT + _STEP * (wave.number - 1) + _STEP // 2


def _text(x: int, y: int, text: str, style: str = "", anchor: str = "start") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{named} text-anchor="{anchor}">{escape(text)}</text>'


def _columns(waves: Sequence[Wave]) -> Iterator[str]:
    for wave in waves:
        x = _column(wave)
        yield _text(x, _TOP - 12, f"wave {wave.number}", "quiet", "middle")
        yield f'<line class="tick" x1="{x}" y1="{_TOP}" x2="{x}" y2="{_BOTTOM - 14}"/>'


def _lane(plan: Plan, side: Side, width: int) -> Iterator[str]:
    y = _LANES[side]
    if side is Side.SERVERS:
        count, begin = len(plan.fleet.servers), [str(version) for version in plan.fleet.versions]
    else:
        releases = {shard.state.release for shard in plan.fleet.shards}
        count, begin = len(plan.fleet.shards), [str(version) for version in sorted(releases)]
    yield f'<line class="lane" x1="{_LEFT - 20}" y1="{y}" x2="{width - _RIGHT}" y2="{y}"/>'
    yield _text(20, y - 4, f"{count} {side.value}")
    yield _text(20, y + 14, _short(begin), "quiet")
    for wave in plan.waves:
        if wave.side is not side:
            continue
        x = _column(wave)
        waits = wave.part is Part.PREPARE
        yield f'<circle class="{"waits" if waits else side.value}" cx="{x}" cy="{y}" r="8"/>'
        yield _text(x, y - 18, str(wave.release), anchor="middle")
        noun = side.value if wave.count > 1 else side.value[:-1]
        yield _text(x, y + 26, f"{wave.count} {noun}", "quiet", "middle")
        if waits:
            yield _text(x, y + 42, "contract waits", "quiet", "middle")
        elif wave.part is Part.CONTRACT:
            yield _text(x, y + 42, "contract", "quiet", "middle")


def _short(versions: Sequence[str]) -> str:
    """As many versions as have room, oldest first."""
    text = ", ".join(versions)
    return text if len(text) <= _LONGEST + 4 else f"{versions[0]} to {versions[-1]}"


def _no_return(plan: Plan, width: int) -> Iterator[str]:
    wave = plan.point_of_no_return
    if wave is None:
        return
    # Before the wave: once it has begun, there is no way back.
    x = _column(wave) - _STEP // 2
    yield f'<line class="return" x1="{x}" y1="{_TOP - 24}" x2="{x}" y2="{_BOTTOM}"/>'
    # A label near the right edge is written to the left of its line.
    late = x + 160 > width
    yield _text(
        x - 8 if late else x + 8,
        _BOTTOM + 14,
        "point of no return",
        "warning",
        "end" if late else "start",
    )
