"""How long each release works with what came later: two bars for each, along the calendar."""

from collections.abc import Iterator

from toolchain.matrix.support import support
from toolchain.model.history import hotfixes, parents
from toolchain.model.release import Product, Release
from toolchain.render.figures.calendar import Calendar
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.legend import legend
from toolchain.render.figures.support_row import HEIGHT, NOT_WITH, SupportRow
from toolchain.render.figures.svg import box, label_width, line, polygon
from toolchain.render.figures.text import SMALL

_LEAST, _MOST, _DAY = 640, 2400, 36


def support_figure(product: Product) -> Figure:
    """A row for each release, in version order; the axis ends at the newest date of the specs."""
    releases = product.releases
    kinds = tuple(_kinds(product))
    left = 16 + max(
        label_width(*(str(release.version) for release in releases)),
        label_width(
            *(f"{one.date}{kind}" for one, kind in zip(releases, kinds, strict=True)), size=SMALL
        ),
    )
    signs, height = legend(_legend(), _LEAST)
    ends = support(product)
    room = 18 + label_width(*(f"{NOT_WITH} {release.version}" for release in releases), size=SMALL)
    calendar = Calendar.of(
        [release.date for release in releases],
        left=left,
        width=min(max(_LEAST - left - room, _DAY * len(releases)), _MOST),
        top=height + 8,
        rows=len(releases),
        row_height=HEIGHT,
    )
    width = calendar.right + room
    rows = [
        SupportRow(release=release, ends=end, kind=kinds[at], y=calendar.row(at))
        for at, (release, end) in enumerate(zip(releases, ends, strict=True))
    ]
    return Figure(
        name="support",
        title=f"How long the releases of {product.name} fit what came later",
        description="For each release two bars along the calendar: until when its server fits the"
        " databases of later versions, and until when a shard at this release fits the servers of"
        " later versions.",
        width=width,
        height=calendar.bottom + 6,
        body=(
            *signs,
            *calendar.grid(width),
            *(part for row in rows for part in row.drawn(calendar)),
        ),
        reasons=tuple(row.reason() for row in rows),
    )


def _kinds(product: Product) -> Iterator[str]:
    """What is special about each release, behind its date."""
    releases = product.releases
    late = hotfixes(releases)
    for release, parent in zip(releases, parents(releases), strict=True):
        yield "".join(f", {kind}" for kind in _special(release, late, releases, parent))


def _special(
    release: Release, late: frozenset[object], releases: tuple[Release, ...], parent: int | None
) -> Iterator[str]:
    if release.version in late and parent is not None:
        yield f"hotfix of {releases[parent].version}"
    if release.version.stage is not None:
        yield "pre-release"
    if release.withdrawn is not None:
        yield "withdrawn"


def _legend() -> Iterator[tuple[str, str]]:
    yield box(0, 0, 20, 13, "figure-back-new"), "its server fits later databases"
    yield box(0, 0, 20, 13, "figure-back-both"), "a shard at this release fits later servers"
    yield (
        line(0, 7, 12, 7, "figure-way") + polygon(((12, 2), (20, 7), (12, 12)), "figure-tip"),
        "fits all later versions",
    )
    yield line(10, 0, 10, 14, "figure-edge-no"), "a later version does not fit"
