"""How fleets come from each release to the newest: a row for each start, with the stops on it."""

from collections.abc import Sequence

from toolchain.model.release import Product
from toolchain.plan.rollout.routes import Route
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.legend import legend
from toolchain.render.figures.marks import signs
from toolchain.render.figures.route_row import HEIGHT, SLOT, RouteRow
from toolchain.render.figures.svg import circle, label_width
from toolchain.render.figures.table import Table
from toolchain.render.figures.text import SMALL

_LEAST = 640
# A hundred releases that stop everywhere have thousands of waves: rows show the first of them then.
_MARKS, _FIRST = 400, 4


def rollout_figure(product: Product, routes: Sequence[Route]) -> Figure:
    """The picture: columns are releases, each row the waves of one fleet in their order."""
    most = max(_FIRST, _MARKS // max(len(routes), 1))
    rows = [RouteRow(route=route, most=most) for route in routes]
    cut = any(row.left_out for row in rows)
    left = 16 + max(
        label_width(*(row.name for row in rows)),
        label_width(*(row.length for row in rows), size=SMALL),
    )
    marks, height = legend((*signs(), (circle(10, 7, 4, "figure-start"), "start")), _LEAST)
    table = Table.of(
        [release.version for release in product.releases],
        rows=len(rows),
        left=left,
        top=height + 8,
        height=HEIGHT,
        least=SLOT * max((row.crowd for row in rows), default=1),
    )
    width = max(table.right + 2, _LEAST)
    places = {release.version: at for at, release in enumerate(product.releases)}
    return Figure(
        name="rollout",
        title=f"Rollouts of {product.name} to its newest release",
        description="For each release a row: the waves that bring a fleet from there to the newest"
        " release, numbered in their order, shards above and servers below."
        + (" A dotted line stands for waves that are not shown." if cut else ""),
        width=width,
        height=table.bottom + 6,
        body=(
            *marks,
            *table.grid(width),
            *(
                part
                for at, row in enumerate(rows)
                for part in row.drawn(table, table.row(at), places)
            ),
        ),
        reasons=tuple(row.reason(product) for row in rows),
    )
