"""The life of each change as a ribbon over the releases: what shards hold, what servers use."""

from collections.abc import Iterator

from toolchain.matrix.chain import one_form, product_chain
from toolchain.matrix.life import lives
from toolchain.model.change import Phase
from toolchain.model.release import Product
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.legend import legend
from toolchain.render.figures.life_reason import life_reason, status
from toolchain.render.figures.ribbon import HATCH, HEIGHT, LONGEST, Ribbon, being_made
from toolchain.render.figures.svg import box, hatch, label_width, line, text
from toolchain.render.figures.table import Table
from toolchain.render.figures.text import SMALL

_LEAST = 640


def ribbons_figure(product: Product) -> Figure:
    """A row for each change, in the order in which they were born; a column for each release."""
    chain = product_chain(product)
    alike = one_form(chain.links)
    known = [(life, life.change in alike) for life in lives(product)]
    left = 16 + max(
        min(label_width(*(life.change for life, _ in known)), LONGEST),
        label_width(*(status(life, alike=same) for life, same in known), size=SMALL),
    )
    signs, height = legend(_legend(), _LEAST)
    table = Table.of(
        [link.version for link in chain.links],
        rows=len(known),
        left=left,
        top=height + 8,
        height=HEIGHT,
    )
    width = max(table.right + 2, _LEAST)
    rows = (
        Ribbon(product, chain, life, table, at, alike=same).drawn()
        for at, (life, same) in enumerate(known)
    )
    return Figure(
        name="life",
        title=f"The changes of {product.name} over its releases",
        description="For each change a row: which releases expand, migrate and contract it, what a"
        " shard holds of it after each release, and which form of it each server uses.",
        width=width,
        height=table.bottom + 6,
        body=(
            hatch(HATCH),
            *signs,
            *table.grid(width),
            *(part for row in rows for part in row),
        ),
        reasons=tuple(life_reason(product, life, alike=same) for life, same in known),
    )


def _legend() -> Iterator[tuple[str, str]]:
    for phase in Phase:
        letter = phase.value[0].upper()
        yield text(6, 11, letter, f"figure-ink-{phase.value}"), f"a release {phase.value}s it"
    yield box(0, 0, 20, 14, "figure-back-none"), "old form alone"
    yield being_made(0, 0, 20, 14), "new form being made"
    yield box(0, 0, 20, 14, "figure-back-both"), "both forms"
    yield box(0, 0, 20, 14, "figure-back-new"), "new form alone"
    yield line(10, 0, 10, 14, "figure-edge-new"), "servers need the new form from here on"
    yield line(10, 0, 10, 14, "figure-edge-no"), "servers before this end with the contract"
