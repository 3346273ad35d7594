"""The sign of a wave: its shape says which side moves and what it leaves for later."""

from toolchain.plan.rollout.telling.waves import Part, Wave
from toolchain.plan.rollout.world.inventory import Side
from toolchain.render.figures.svg import box, circle, polygon, text

RADIUS = 9


def mark(wave: Wave, x: int, y: int) -> str:
    """A sign around a point, with the wave's number inside.

    Servers are round, shards square; the wave after which there is no way back stands on a corner.
    A sign is hollow where the contract is left for later.
    """
    number, inside = str(wave.number), "figure-inside"
    if wave.side is Side.SERVERS:
        shape = circle(x, y, RADIUS, "figure-servers")
    elif wave.no_return:
        reach = RADIUS + 4
        corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
        waits = wave.part is Part.PREPARE
        shape = polygon(corners, "figure-final-waits" if waits else "figure-final")
        inside = "figure-outside-final" if waits else inside
    elif wave.part is Part.PREPARE:
        shape = box(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS, "figure-waits")
        inside = "figure-outside"
    else:
        shape = box(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS, "figure-shards")
    if len(number) > 2:
        inside += " figure-tiny"
    return shape + text(x, y + 4, number, inside, anchor="middle")


def signs() -> tuple[tuple[str, str], ...]:
    """The entries of a legend."""
    small = 7
    return (
        (box(3, 0, 2 * small, 2 * small, "figure-shards"), "shards move"),
        (
            box(3, 0, 2 * small, 2 * small, "figure-waits"),
            "shards expand and migrate, the contract waits",
        ),
        (circle(10, 7, small, "figure-servers"), "servers move"),
        (
            polygon(((10, -2), (19, 7), (10, 16), (1, 7)), "figure-final"),
            "shards move, and there is no way back",
        ),
        (
            polygon(((10, -2), (19, 7), (10, 16), (1, 7)), "figure-final-waits"),
            "no way back, the contract waits",
        ),
    )


def told(wave: Wave) -> str:
    """A wave as a sentence without a full stop."""
    said = f"wave {wave.number}: {wave.side.value} to {wave.release}"
    if wave.part is Part.PREPARE:
        said += ", the contract waits"
    elif wave.part is Part.CONTRACT:
        said += ", the contract that has waited"
    return f"{said}; the point of no return" if wave.no_return else said
