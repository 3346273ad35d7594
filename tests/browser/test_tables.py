"""Pages of one wide table: the table scrolls by itself, the page stays as wide as the screen."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.conftest import REPOSITORY
from tests.unit.rehearse.values import cell, product_of, state
from toolchain.build.product import open_product
from toolchain.matrix.compatibility import matrix
from toolchain.matrix.measured.differences import differences
from toolchain.matrix.measured.values import Measured
from toolchain.render.matrix import matrix_html
from toolchain.render.rehearsal_html import rehearsal_html


def rehearsed() -> str:
    releases = {f"1.{number}.0": number for number in range(12)}
    states = [state(release) for release in releases]
    cells = tuple(cell("1.0.0", at, declared=True) for at in states)
    found = Measured(
        postgresql="15.1",
        source="here",
        states=tuple(states),
        cells=cells,
        comparisons=(),
        broken=(),
    )
    return rehearsal_html("demo", found, differences(product_of(releases), found))


def test_no_page_of_a_table_scrolls_sideways(browser: Browser, tmp_path: Path):
    fleetdesk = open_product(REPOSITORY / "release-specs/fleetdesk").product
    page = browser.new_page(viewport={"width": 300, "height": 700})
    for name, text in (("matrix", matrix_html("demo", matrix(fleetdesk))), ("run", rehearsed())):
        file = tmp_path / f"{name}.html"
        file.write_text(text)
        page.goto(file.as_uri())
        assert page.evaluate("document.querySelector('table').offsetWidth > innerWidth"), name
        assert page.evaluate("document.documentElement.scrollWidth") == 300, name
    page.close()
