"""The figures in a real browser: every text can be read, and nothing but the file is asked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE
from tests.browser.waiting import eventually
from tests.unit.render.figures.products import HOSTILE, figures, hostile, long
from toolchain.build.product import open_product
from toolchain.model.release import Product
from toolchain.render.figures.figure import Figure
from toolchain.render.figures.standalone import figure_file

HERE = Path(__file__).parent
FLEETDESK = HERE.parent.parent / "release-specs/fleetdesk"
OVERLAPS = (HERE / "overlaps.js").read_text()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when it writes to the console, asks the network, or opens a box."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    seen: list[str] = []
    opened.on("console", lambda message: seen.append(message.text))
    opened.on("pageerror", lambda error: seen.append(str(error)))
    opened.on("dialog", lambda dialog: seen.append(f"a dialog says {dialog.message}"))
    opened.on("request", lambda request: seen.append(request.url))
    yield opened
    context.close()
    assert [each for each in seen if not each.startswith("file://")] == []


def shown(page: Page, figure: Figure, directory: Path) -> None:
    path = directory / f"{figure.name}.svg"
    path.write_text(figure_file(figure))
    page.goto(path.as_uri())


def fleetdesk() -> Product:
    return open_product(FLEETDESK).product


def long_names() -> Product:
    """Versions as long as they come, and names of changes that are longer than their room."""
    product = long(9)
    releases = tuple(
        replace(
            release,
            version=replace(release.version, major=100_000_000, minor=10_000_000 + number),
            database=replace(
                release.database,
                steps=tuple(
                    replace(step, change=f"{step.change}-{'very-' * 8}long")
                    for step in release.database.steps
                ),
            ),
        )
        for number, release in enumerate(product.releases)
    )
    return replace(product, releases=releases)


@pytest.mark.parametrize(
    "product",
    [fleetdesk, lambda: long(40), lambda: long(100), long_names],
    ids=["fleetdesk", "40", "100", "long-names"],
)
def test_every_text_can_be_read(product, page: Page, tmp_path: Path):
    for figure in figures(product()):
        shown(page, figure, tmp_path)
        answer = page.evaluate(OVERLAPS)
        assert answer["texts"] > 3
        assert answer["found"] == [], figure.name


def test_no_script_of_a_hostile_name_runs(page: Page, tmp_path: Path):
    for figure in figures(hostile(long(9))):
        shown(page, figure, tmp_path)
        assert page.evaluate("document.scripts.length") == 0
        assert page.title().startswith(figure.title.split(HOSTILE)[0])


def test_it_is_light_or_dark_as_the_reader_wants_and_light_on_paper(page: Page, tmp_path: Path):
    shown(page, figures(long(9))[0], tmp_path)
    ground = "getComputedStyle(document.querySelector('.figure-ground')).fill"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != light == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(ground) == light


def test_the_keyboard_reaches_each_row_and_its_reason(page: Page, tmp_path: Path):
    figure = figures(long(9))[0]
    shown(page, figure, tmp_path)
    page.bring_to_front()
    for reason in figure.reasons:
        page.keyboard.press("Tab")
        eventually(page, f"document.activeElement.getAttribute('href') === '#{reason.anchor}'")
    page.keyboard.press("Enter")
    opened = page.wait_for_selector(":target")
    assert opened is not None
    assert opened.text_content() == reason.heading
