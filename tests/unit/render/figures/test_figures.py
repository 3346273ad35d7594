"""What every figure promises: well-formed, escaped, the same bytes, and links that lead somewhere."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY
from tests.unit.render.figures.products import HOSTILE, figures, hostile, long, plan, product
from tests.unit.spec.chains import R
from toolchain.model.release import Product
from toolchain.render.figures.figure import Figure, Reason, anchor
from toolchain.render.figures.plan import plan_figure
from toolchain.render.figures.standalone import figure_file
from toolchain.render.figures.style import FIGURE_CSS, PALETTE
from toolchain.render.figures.text import fitted, width_of, wrapped

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo() -> Product:
    return long(9)


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own text


def test_each_figure_is_well_formed_and_says_what_it_is(demo: Product):
    drawn = figures(demo)
    assert [figure.name for figure in drawn] == ["life", "rollout", "plan", "support", "overview"]
    for figure in drawn:
        for text in (figure.svg, figure_file(figure)):
            root = parsed(text)
            titles = {child.get("id"): child.text for child in root}
            assert titles[root.get("aria-labelledby")] == figure.title
            assert titles[root.get("aria-describedby")] == figure.description
            assert root.get("role") == ("img" if figure.name == "overview" else "group")
            assert not list(root.iter(f"{SVG}script"))


def test_each_link_opens_a_reason_and_each_reason_has_a_line(demo: Product):
    for figure in figures(demo):
        anchors = [reason.anchor for reason in figure.reasons]
        assert len(set(anchors)) == len(anchors)
        links = {link.get("href") for link in parsed(figure.svg).iter(f"{SVG}a")}
        assert links == {f"#{each}" for each in anchors}
        for reason in figure.reasons:
            assert any(fact.origin for fact in reason.facts), reason


def test_there_is_one_tab_stop_for_each_row(demo: Product):
    for figure in figures(demo):
        stops = [a for a in parsed(figure.svg).iter(f"{SVG}a") if a.get("tabindex") is None]
        assert len(stops) == len(figure.reasons)


def test_the_bytes_depend_on_nothing_but_the_values(demo: Product):
    again = """
import sys
from tests.conftest import REPOSITORY
from tests.unit.render.figures.products import figures, long
sys.stdout.write("".join(figure.svg for figure in figures(long(9))))
"""
    run = subprocess.run(
        (sys.executable, "-c", again),
        env={
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONHASHSEED": "7",
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C",
        },
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode() == "".join(figure.svg for figure in figures(demo))


def test_hostile_names_stay_text(demo: Product):
    for figure in figures(hostile(demo)):
        for text in (figure.svg, figure_file(figure)):
            root = parsed(text)
            assert "<script" not in text
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
            kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
            assert kinds <= {
                *("svg", "title", "desc", "style", "defs", "pattern", "g", "a", "text", "tspan"),
                *("rect", "line", "circle", "polygon"),
            }
            named = {name for element in root.iter() for name in element.attrib}
            assert not {name for name in named if name.startswith("on") or name == "style"}


def test_hostile_names_are_shown_as_they_are(demo: Product):
    life = figures(hostile(demo))[0]
    visible = HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    assert life.title == f"The changes of {HOSTILE} over its releases"
    assert parsed(life.svg)[0].text == life.title.replace(HOSTILE, visible)


def test_an_anchor_is_a_plain_fragment():
    assert anchor("change", '"<A> b') == "reason-change-a-b"
    with pytest.raises(ValueError, match="not an anchor"):
        Reason(anchor="reason-<", heading="", facts=())


def test_the_file_has_no_address_and_both_colours(demo: Product):
    text = figure_file(plan_figure(demo, plan(demo)))
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "var(" not in text
    assert "prefers-color-scheme: dark" in text
    for _, light, dark in PALETTE:
        assert (light in text) == (dark in text)


def test_every_class_that_a_figure_uses_has_a_rule(demo: Product):
    used = {
        name
        for figure in figures(demo)
        for element in parsed(figure.svg).iter()
        for name in (element.get("class") or "figure").split()
    }
    ruled = set(re.findall(r"\.(figure[a-z-]*)", FIGURE_CSS))
    # Plain text has no rule of its own beside its colour.
    assert used <= ruled


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [1, 2], ids=["light", "dark"])
def test_text_has_contrast_on_everything_that_it_stands_on(scheme: int):
    colours = {each[0]: each[scheme] for each in PALETTE}
    for name, colour in colours.items():
        if name in ("page", "field", "line") or name.endswith("-back"):
            continue
        for ground in ("page", "field", f"{name}-back"):
            if ground in colours:
                assert contrast(colour, colours[ground]) >= 4.5, (name, ground)


def test_a_product_of_one_release_has_every_figure_but_no_way():
    alone = product({"1.0.0": R(schema=1, steps=("expand:start",))})
    for figure in figures(alone):
        parsed(figure_file(figure))


def test_texts_are_fitted_and_wrapped_within_their_width():
    for text in ("a" * 90, "wide W words " * 9, "日本語" * 30, ""):
        assert width_of(fitted(text, 200)) <= 200
        assert all(width_of(line) <= 200 for line in wrapped(text, 200))
        assert "".join(wrapped(text, 200)).replace(" ", "") == text.replace(" ", "")


def test_a_long_chain_stays_within_bounds():
    by_name: dict[str, Figure] = {figure.name: figure for figure in figures(long(100))}
    assert max(len(figure.svg) for figure in by_name.values()) < 400_000
    assert by_name["rollout"].width < 3000
