"""Products whose histories have everything that a figure must show."""

from dataclasses import replace

from tests.unit.spec.chains import R, chain
from tests.unit.spec.memory import Memory
from toolchain.matrix.compatibility import matrix
from toolchain.model.release import Product
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.routes import newest, routes, uniform
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.overview import overview_figure
from toolchain.render.figures.plan import plan_figure
from toolchain.render.figures.ribbons import ribbons_figure
from toolchain.render.figures.rollout import rollout_figure
from toolchain.render.figures.support import support_figure
from toolchain.spec import check_product

HOSTILE = "</title></svg><script>alert(1)</script>\x1b[31m\u202e\"'&"


def product(releases: dict[str, R], *, skew: int = 0) -> Product:
    """The product that specs of these releases make."""
    files = {name: text.encode() for name, text in chain(releases, skew=skew).items()}
    checked = check_product(Memory(files), {})
    assert checked.product is not None, [str(problem) for problem in checked.problems]
    return checked.product


def long(count: int) -> Product:
    """So many releases: a change in every third, made ready by the next and contracted after it.

    Among them are a pre-release, a withdrawn one, and a hotfix of an older branch.
    """
    releases: dict[str, R] = {}
    for at in range(count):
        name = f"change-number-{at // 3}"
        phase = ("expand", "migrate", "contract")[at % 3]
        withdrawn = "Loses jobs." if at == 4 else None
        steps = (f"{phase}:{name}",)
        releases[f"1.{at}.0"] = R(schema=at + 1, steps=steps, day=20 * at, withdrawn=withdrawn)
    releases["1.5.1"] = R(schema=6, day=20 * count)
    releases[f"1.{count}.0-rc1"] = R(schema=count, day=20 * count + 5)
    ordered = sorted(releases, key=lambda text: [*map(int, text.split("-")[0].split("."))])
    return product({version: releases[version] for version in ordered})


def hostile(good: Product) -> Product:
    """The same product with markup in every name that a person chooses."""
    releases = tuple(
        replace(
            release,
            withdrawn=release.withdrawn and HOSTILE,
            database=replace(
                release.database,
                steps=tuple(
                    replace(step, change=f"{HOSTILE}{step.change}")
                    for step in release.database.steps
                ),
            ),
        )
        for release in good.releases
    )
    return replace(good, name=HOSTILE, releases=releases)


def plan(product: Product) -> Plan:
    """The way of a fleet at the oldest release to the newest."""
    facts = chain_of(product)
    target = newest(facts)
    assert target is not None
    fleet = uniform(facts, product.releases[0].version)
    answer = plan_rollout(facts, fleet, target, product.rollout)
    assert isinstance(answer, Plan)
    return answer


def figures(product: Product) -> tuple[Figure, ...]:
    """Every picture of a product."""
    return (
        ribbons_figure(product),
        rollout_figure(product, routes(chain_of(product), product.rollout)),
        plan_figure(product, plan(product)),
        support_figure(product),
        overview_figure(matrix(product)),
    )
