"""What each figure shows is what the law, the chain and the planner say."""

from dataclasses import replace
from itertools import groupby
from xml.etree import ElementTree

import pytest

from tests.unit.render.figures.products import long, plan, product
from tests.unit.spec.chains import R
from toolchain.matrix.compatibility import matrix
from toolchain.matrix.support import support
from toolchain.model.law import compatible
from toolchain.model.release import Product
from toolchain.model.window import schema_window
from toolchain.plan.rollout.routes import routes
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.overview import overview_figure
from toolchain.render.figures.plan import plan_figure
from toolchain.render.figures.ribbons import ribbons_figure
from toolchain.render.figures.rollout import rollout_figure
from toolchain.render.figures.support import support_figure
from toolchain.render.figures.wave_reason import bare

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo() -> Product:
    return long(9)


def texts(figure: Figure) -> list[str]:
    root = ElementTree.fromstring(figure.svg)  # noqa: S314 - our own text
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def classed(figure: Figure, name: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(figure.svg)  # noqa: S314 - our own text
    return [each for each in root.iter() if each.get("class") == name]


def said(figure: Figure, anchor: str) -> str:
    (reason,) = (reason for reason in figure.reasons if reason.anchor == anchor)
    lines = (f"{fact.sentence} [{fact.origin}]" for fact in reason.facts)
    return "\n".join((reason.heading, *lines))


def test_a_ribbon_shows_the_phases_the_forms_and_the_windows(demo: Product):
    figure = ribbons_figure(demo)
    shown = texts(figure)
    assert [text for text in shown if text in ("E", "M", "C")] == [*"EMC", *"EMC" * 3]
    for text in (
        "shards: old form",
        "made",
        "both",
        "shards: new form alone",
        "servers: old",
    ):
        assert text in shown
    story = said(figure, "reason-change-change-number-1")
    assert story.startswith("Change change-number-1: old form gone in 1.5.0\n")
    for line in (
        "Release 1.3.0 expands it, with schema 4. [product/1.3.0.yaml:8:",
        "Servers 1.0.0 to 1.3.0 use the old form alone. [product/1.0.0.yaml",
        "Server 1.4.0 needs the new form",
        "Database 1.5.0 has lost the old form, so servers that use it alone end there:"
        " it accepts >= 1.4.0.",
    ):
        assert line in story
    # Three changes, each of which begins windows of servers and ends old servers once; one legend.
    new, ended = (
        [int(edge.get("x1", "")) for edge in classed(figure, f"figure-edge-{kind}")][1:]
        for kind in ("new", "no")
    )
    # Here both stand side by side, since each contract leaves just those behind that need it.
    assert [x - 4 for x in new] == ended
    assert len(ended) == 3


def test_a_change_that_must_wait_says_for_whom():
    releases = {
        "1.0.0": R(schema=1),
        "1.1.0": R(schema=2, steps=("expand:split", "migrate:split")),
    }
    story = said(ribbons_figure(product(releases, skew=2)), "reason-change-split")
    assert "both forms since 1.1.0" in story
    assert "may be removed after one more release" in story
    assert "these servers use it alone: 1.0.0. [product/1.0.0.yaml" in story


def test_rollouts_have_a_sign_for_each_wave_and_a_row_for_each_start(demo: Product):
    ways = routes(chain_of(demo), demo.rollout)
    figure = rollout_figure(demo, ways)
    waves = [way.answer.waves for way in ways if isinstance(way.answer, Plan)]
    assert len(classed(figure, "figure-way")) == sum(map(len, waves)) > 20
    assert len(figure.reasons) == len(ways) == 9
    story = said(figure, "reason-rollout-1.0.0")
    for wave in waves[0]:
        for refusal in wave.reasons:
            assert refusal.origin is not None
            assert f"{bare(refusal)}. [{refusal.origin}]" in story
        assert f"Wave {wave.number}: {wave.side.value} to {wave.release}" in story
    assert str(ways[0].target) == "1.8.0"  # neither the pre-release nor the withdrawn one


def test_a_row_of_a_long_chain_says_what_it_leaves_out(demo: Product):
    product = long(40)
    figure = rollout_figure(product, routes(chain_of(product), product.rollout))
    story = said(figure, "reason-rollout-1.0.0")
    assert "28 waves, first 10" in story
    assert "18 more waves come after these." in story
    assert len(classed(figure, "figure-more")) > 20
    assert "A dotted line" in figure.description
    short = rollout_figure(demo, routes(chain_of(demo), demo.rollout))
    assert classed(short, "figure-more") == []
    assert "A dotted line" not in short.description


def test_where_there_is_no_way_the_row_says_why():
    open_ = product(
        {
            "1.0.0": R(schema=1, steps=("expand:one",)),
            "1.1.0": R(schema=2, steps=("expand:two",), schemas=">= 2"),
        }
    )
    first, second = open_.releases
    server = replace(first.server, schemas=schema_window(">= 1, < 2"))
    closed = replace(open_, releases=(replace(first, server=server), second))
    figure = rollout_figure(closed, routes(chain_of(closed), closed.rollout))
    story = said(figure, "reason-rollout-1.0.0")
    assert "no way" in story
    assert "In the way: server 1.0.0 runs on schemas >= 1, < 2" in story


def test_a_plan_has_a_sign_for_each_wave_and_a_line_without_return(demo: Product):
    way = plan(demo)
    figure = plan_figure(demo, way)
    assert len(figure.reasons) == len(way.waves)
    assert len(classed(figure, "figure-return")) == 1
    shown = texts(figure)
    assert "point of no return" in shown
    assert shown.count("stop") == sum(wave.next is not None for wave in way.waves)
    assert figure.title == f"demo to 1.8.0 in {len(way.waves)} waves"
    assert "Wave 2: servers to 1.3.0." in figure.description
    idle = plan_figure(demo, replace(way, waves=()))
    assert (idle.description, idle.reasons) == ("Nothing to do.", ())


def test_support_ends_at_the_first_later_release_that_does_not_fit(demo: Product):
    for end in support(demo):
        release = demo.release(end.release)
        later = sorted(
            (
                after
                for after in demo.releases
                if after.version > release.version
                and after.withdrawn is None
                and after.version.stage is None
            ),
            key=lambda after: (after.date, after.version),
        )
        server, shard = release.server_handshake, release.shard_handshake
        for found, fits in (
            (end.server, [compatible(server, after.shard_handshake) for after in later]),
            (end.database, [compatible(after.server_handshake, shard) for after in later]),
        ):
            if found is None:
                assert all(fits)
            else:
                first = later[fits.index(False)]
                assert (found.release, found.date) == (first.version, first.date)


def test_support_tells_hotfixes_withdrawn_and_pre_releases(demo: Product):
    figure = support_figure(demo)
    shown = texts(figure)
    for text in (", hotfix of 1.5.0", ", withdrawn", ", pre-release"):
        assert any(each.endswith(text) for each in shown), text
    assert "It is withdrawn: Loses jobs." in said(figure, "reason-support-1.4.0")
    assert "Its server fits the databases of all later versions." in said(
        figure, "reason-support-1.8.0"
    )
    assert "Its server does not fit 1.8.0, which was out already" in said(
        figure, "reason-support-1.5.1"
    )
    assert len(classed(figure, "figure-back-new figure-withdrawn")) == 1


def test_the_overview_fills_what_fits(demo: Product):
    whole = matrix(demo)
    runs = sum(1 for row in whole.fits for fit, _ in groupby(row) if fit)
    figure = overview_figure(whole)
    assert len(classed(figure, "figure-yes")) == runs
    assert f"{sum(map(sum, whole.fits))} fit" in figure.description
