"""The report in a real browser: structure, keyboard, accessibility, no network, hostile text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.waiting import eventually
from tests.conftest import REPOSITORY
from tests.report_samples import (
    HOSTILE,
    hostile_product,
    open_sample,
    rehearsal,
    write_rehearsal,
)
from toolchain.build.product import OpenProduct, open_product
from toolchain.matrix.measured.values import Broken
from toolchain.render.report.page import report_html
from toolchain.render.templates import Templates
from toolchain.report.gather import Sources, gather_report
from toolchain.report.measured_file import read_measured
from toolchain.report.places import Places


def write_report(path: Path, opened: OpenProduct, measured: Path | None = None) -> Path:
    sources = Sources(
        places=Places(root=opened.root),
        measured=None if measured is None else read_measured(measured, opened.product),
    )
    content = gather_report(opened.product, sources)
    path.write_text(report_html(content, Templates(opened.templates)))
    return path


@dataclass
class Seen:
    """A page, and what it said and asked for while it was looked at."""

    page: Page
    file: Path
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def look(browser: Browser, file: Path, **context: object) -> Seen:
    page = browser.new_context(**{"reduced_motion": "reduce", **context}).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(120_000)
    seen = Seen(page, file)
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("request", lambda request: seen.asked.append(request.url))
    page.goto(file.as_uri())
    return seen


@pytest.fixture(scope="module")
def fleetdesk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample product, measured: one promise is false, one could be wider."""
    root = tmp_path_factory.mktemp("report")
    opened = open_product(REPOSITORY / "release-specs/fleetdesk")
    answers = {("4.0.0", "4.1.0"): False, ("3.9.0", "4.2.0"): True}
    measured = write_rehearsal(
        root / "measured.json",
        opened.product,
        rehearsal(opened.product, answers, untried=("4.2.0",)),
    )
    return write_report(root / "fleetdesk.html", opened, measured)


@pytest.fixture
def seen(browser: Browser, fleetdesk: Path) -> Iterator[Seen]:
    found = look(browser, fleetdesk)
    yield found
    assert found.said == []
    assert found.asked == [fleetdesk.as_uri()]
    found.page.context.close()


def cell(page: Page, server: str, release: str) -> str:
    """A selector for one cell."""
    heads = page.locator("table.matrix thead th").evaluate_all(
        "all => all.map(one => one.dataset.release)"
    )
    row = f'table.matrix tbody tr:has(th[data-release="{server}"])'
    return f"{row} > :nth-child({heads.index(release) + 1})"


def test_landmarks_headings_and_the_table_have_names(seen: Seen):
    page = seen.page
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.get_by_role("navigation", name="Sections").count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == "fleetdesk: what may run with what"
    table = page.get_by_role("table", name="fleetdesk: 7 servers on shards at 7 releases")
    assert table.locator("thead th[scope=col]").count() == 8
    assert table.locator("tbody th[scope=row]").count() == 7
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => +one.tagName[1])")
    assert all(below - above <= 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: str, browser: Browser, fleetdesk: Path):
    seen = look(browser, fleetdesk, color_scheme=scheme)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert violations(page) == []
    page.locator(cell(page, "4.0.0", "4.1.0")).click()
    assert violations(page) == []
    page.context.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def test_a_cell_opens_its_reason_and_the_keyboard_comes_back(seen: Seen):
    page = seen.page
    link = page.locator(cell(page, "4.0.0", "4.2.0")).locator("a").first
    link.click()
    dialog = page.get_by_role("dialog", name="Server 4.0.0 on a shard at 4.2.0 (schema 13): no")
    assert dialog.is_visible()
    text = dialog.inner_text()
    assert "The old form of split-host is gone, which the server 4.0.0 uses alone." in text
    assert "4.2.0.yaml:9:7" in text
    page.keyboard.press("Escape")
    assert not page.locator("#answer").is_visible()
    assert link.evaluate("one => document.activeElement === one")


def test_the_matrix_is_one_tab_stop_that_arrow_keys_walk(seen: Seen):
    page = seen.page
    stops = page.locator("table.matrix td a[tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    for key in ("ArrowRight", "ArrowDown", "End", "PageDown", "Home", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    here = page.locator(cell(page, "4.3.0-rc1", "4.0.0")).locator("a").first
    assert here.evaluate("one => document.activeElement === one")
    assert stops.count() == 1
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="Server 4.3.0-rc1 on a shard at 4.0.0").is_visible()


def test_each_view_shows_its_own_words(seen: Seen):
    page = seen.page
    false, wider, untried = (
        page.locator(cell(page, *pair))
        for pair in (("4.0.0", "4.1.0"), ("3.9.0", "4.2.0"), ("4.2.0", "4.2.0"))
    )
    assert false.inner_text().split() == ["fits", "differs"]
    assert wider.inner_text().split() == ["no", "wider"]
    page.get_by_label("measured", exact=True).check()
    assert false.inner_text().split() == ["no", "differs"]
    assert wider.inner_text().split() == ["fits", "wider"]
    assert untried.inner_text() == "not known"
    false.locator("a:visible").click()
    dialog = page.get_by_role("dialog")
    assert "4.1.0 (schema 12): fits, but views differ" in dialog.inner_text()
    assert "Measured: the server 4.0.0 fails on a shard at" in dialog.inner_text()
    assert "FROM demo_1" in dialog.inner_text()


def test_pictures_open_reasons_too(seen: Seen):
    page = seen.page
    links = page.locator("svg.figure a")
    anchors = links.evaluate_all("all => all.map(one => one.getAttribute('href').slice(1))")
    known = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert anchors
    assert set(anchors) <= set(known)
    page.locator("#changes svg.figure a").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()


def test_without_a_script_links_lead_to_reasons(browser: Browser, fleetdesk: Path):
    page = look(browser, fleetdesk, java_script_enabled=False).page
    page.locator(cell(page, "4.0.0", "4.2.0")).locator("a").first.click()
    assert page.url.endswith("#reason-database-4.2.0")
    page.context.close()


def test_the_narrow_page_does_not_scroll_sideways(browser: Browser, fleetdesk: Path):
    page = look(browser, fleetdesk, viewport={"width": 360, "height": 740}).page
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("label[for=view-measured]").click()
    assert page.get_by_label("measured", exact=True).is_checked()
    page.context.close()


def test_paper_has_every_reason_and_every_release(browser: Browser, fleetdesk: Path):
    page = look(browser, fleetdesk, color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.locator(".reason").first.is_visible()
    assert page.locator(cell(page, "4.0.0", "4.1.0")).locator("a").first.is_visible()
    assert not page.get_by_text("said by the packages").is_visible()
    oldest = page.locator('[id="release-3.9.0"]')
    assert oldest.get_attribute("open") is None
    assert oldest.locator("h4").first.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.context.close()


def test_no_text_of_a_spec_or_a_server_becomes_a_script(browser: Browser, tmp_path: Path):
    opened = hostile_product(tmp_path / "demo")
    broken = Broken(release=opened.product.releases[0].version, way="", sentence=HOSTILE)
    tried = rehearsal(opened.product, {("1.0.0", "1.1.0"): False}, HOSTILE, broken=(broken,))
    measured = write_rehearsal(tmp_path / "measured.json", opened.product, tried)
    seen = look(browser, write_report(tmp_path / "hostile.html", opened, measured))
    page = seen.page
    page.locator(cell(page, "1.0.0", "1.1.0")).locator("a").first.click()
    assert HOSTILE in page.get_by_role("dialog").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, script:not(:last-child)").count() == 0
    assert seen.said == []
    assert seen.asked == [seen.file.as_uri()]
    page.context.close()


def test_the_policy_lets_nothing_else_run(browser: Browser, tmp_path: Path):
    """Even where escaping had failed, the page's policy would stand in the way."""
    file = write_report(tmp_path / "page.html", open_sample(tmp_path / "demo"))
    file.write_text(
        file.read_text().replace("<main>", "<main><script>window.hacked=1</script>"
        "<img src='http://127.0.0.1:9/x' onerror='window.hacked=1'>")
    )  # fmt: skip
    seen = look(browser, file)
    assert seen.page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in said for said in seen.said)
    seen.page.context.close()


def test_a_long_history_keeps_its_headings_in_sight(browser: Browser, tmp_path: Path):
    seen = look(browser, write_report(tmp_path / "long.html", open_sample(tmp_path / "demo", 41)))
    page = seen.page
    region = page.get_by_role("region", name="The matrix", exact=True)
    region.scroll_into_view_if_needed()
    # It begins at the newest release, which stands last.
    eventually(page, "document.querySelector('.tall').scrollLeft > 0")
    newest = page.locator("table.matrix td").last
    assert newest.locator("a[tabindex='0']").count() == 1
    assert newest.evaluate(
        "one => one.getBoundingClientRect().right"
        " <= one.closest('.tall').getBoundingClientRect().right"
    )
    region.evaluate("one => one.scrollTo(400, 400)")
    top, left = region.evaluate(
        "one => [one.getBoundingClientRect().y, one.getBoundingClientRect().x]"
    )
    head = page.locator("table.matrix thead th").nth(30).bounding_box()
    row = page.locator("table.matrix tbody th").nth(30).bounding_box()
    assert head is not None
    assert row is not None
    assert abs(head["y"] - top) < 4
    assert abs(row["x"] - left) < 4
    assert page.locator("table.matrix td a[tabindex='0']").count() == 1
    assert seen.said == []
    page.context.close()
