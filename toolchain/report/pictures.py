"""The report's pictures, and the reasons that their parts open."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.matrix.chain import product_chain
from toolchain.matrix.compatibility import matrix
from toolchain.model.release import Product
from toolchain.plan.rollout.routes import Route
from toolchain.render.figures import figure
from toolchain.render.figures.overview import overview_figure
from toolchain.render.figures.ribbons import ribbons_figure
from toolchain.render.figures.rollout import rollout_figure
from toolchain.render.figures.support import support_figure
from toolchain.render.report.content import Fact, Figure, Reason
from toolchain.report.places import Places

# A matrix of more releases is no longer seen as a whole without scrolling.
_WIDE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Figures by the section that they stand in, and the reasons of all of them."""

    figures: tuple[Figure, ...]
    reasons: tuple[Reason, ...]


def pictures(product: Product, routes: Sequence[Route], places: Places) -> Pictures:
    """Lives of changes, ways to the newest release, and support in time, where there are any.

    A long history has its matrix in little as well.
    """
    drawn: list[tuple[str, figure.Figure]] = []
    if len(product.releases) > _WIDE:
        drawn.append(("matrix", overview_figure(matrix(product))))
    if product_chain(product).changes:
        drawn.append(("changes", ribbons_figure(product)))
    if routes:
        drawn.append(("rollouts", rollout_figure(product, tuple(routes))))
    drawn.append(("support", support_figure(product)))
    return Pictures(
        figures=tuple(
            Figure(section=section, title=one.title, description=one.description, svg=one.svg)
            for section, one in drawn
        ),
        reasons=tuple(_reason(reason, places) for _, one in drawn for reason in one.reasons),
    )


def _reason(reason: figure.Reason, places: Places) -> Reason:
    return Reason(
        anchor=reason.anchor,
        heading=reason.heading,
        facts=tuple(
            Fact(sentence=places.shorten(fact.sentence), place=places.spell(fact.origin))
            for fact in reason.facts
        ),
    )
