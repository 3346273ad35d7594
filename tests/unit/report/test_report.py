"""What a report says: its news, its reasons, its releases; as values, JSON and a page."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.report_samples import (
    HOSTILE,
    hostile_product,
    open_sample,
    rehearsal,
    write_rehearsal,
)
from toolchain.build.product import OpenProduct, open_product
from toolchain.render.report.content import Content, Tone
from toolchain.render.report.differences import runs
from toolchain.render.report.json import report_json
from toolchain.render.report.page import report_html
from toolchain.render.templates import Templates
from toolchain.report.gather import Sources, gather_report
from toolchain.report.measured_file import read_measured
from toolchain.report.places import Places


@pytest.fixture(scope="module")
def fleetdesk() -> OpenProduct:
    return open_product(REPOSITORY / "release-specs/fleetdesk")


def gathered(opened: OpenProduct, measured: Path | None = None) -> Content:
    tried = None if measured is None else read_measured(measured, opened.product)
    sources = Sources(places=Places(root=opened.root), measured=tried)
    return gather_report(opened.product, sources)


def page(opened: OpenProduct, content: Content) -> str:
    return report_html(content, Templates(opened.templates))


def test_the_news_of_fleetdesk(fleetdesk: OpenProduct):
    content = gathered(fleetdesk)
    assert content.verdict.tone is Tone.GOOD
    assert content.verdict.value == "49 pairs agree"
    news = {one.title: f"{one.value}; {one.sentence}" for one in content.headlines}
    assert news["Newest release"] == "4.3.0; of 2026-09-21, with schema 14"
    assert news["Ways to 4.3.0"].startswith("from 6 of 6 releases; without a stop: 4.1.0")
    assert news["On shards at 4.3.0"].startswith("4 of 6 older servers run; 4.1.0, 4.1.1, 4.2.0")
    assert str(content.day) == "2026-09-21"


def test_a_refusal_leads_to_the_change_that_causes_it(fleetdesk: OpenProduct):
    content = gathered(fleetdesk)
    releases = [str(one) for one in content.table.views.releases]
    pair = content.table.pairs[releases.index("4.0.0")][releases.index("4.2.0")]
    assert pair.decides == "reason-database-4.2.0"
    reason = next(one for one in content.reasons if one.anchor == pair.decides)
    said = [(fact.sentence, fact.place.partition(":")[0]) for fact in reason.facts]
    assert said == [
        (
            "After the phases of 4.2.0 a shard has schema 13 and accepts servers >= 4.1.0.",
            "4.2.0.yaml",
        ),
        ("The old form of split-host is gone, which the server 4.0.0 uses alone.", "4.2.0.yaml"),
    ]
    pair = content.table.pairs[releases.index("4.1.0")][releases.index("4.0.0")]
    assert pair.decides == "reason-server-4.1.0"


def test_a_false_promise_is_the_news(tmp_path: Path):
    opened = open_sample(tmp_path / "demo")
    answers = {("1.0.0", "1.1.0"): False, ("1.1.0", "1.0.0"): True}
    measured = write_rehearsal(
        tmp_path / "m.json", opened.product, rehearsal(opened.product, answers)
    )
    content = gathered(opened, measured)
    assert content.verdict.tone is Tone.BAD
    assert content.verdict.value == "1 of 9 pairs break a promise"
    assert content.verdict.sentence == (
        "Server 1.0.0 on a shard at 1.1.0: declared fits, measured no."
        " Compared: declared, derived and measured. Not in this report: packages."
    )
    first = content.differences[0]
    assert (str(first.server), str(first.release), first.kind.value) == ("1.0.0", "1.1.0", "broken")
    assert first.sentence == "declared: fits, derived: fits, measured: no"
    reason = next(one for one in content.reasons if one.anchor == first.anchor)
    assert "1.0.0 fails on a shard at 1.1.0" in reason.heading
    assert reason.facts[0].quote == "SELECT thing\nFROM demo_1"


def test_neighbours_that_differ_alike_share_a_line(tmp_path: Path):
    opened = open_sample(tmp_path / "demo", 5)
    content = gathered(opened)
    lines = runs(content)
    assert [(line.heading, line.pairs) for line in lines] == [
        ("Server 1.0.0 on shards at 1.2.0 to 1.4.0", 3),
        ("Server 1.1.0 on shards at 1.3.0 to 1.4.0", 2),
        ("Server 1.2.0 on a shard at 1.4.0", 1),
    ]
    assert {line.sentence for line in lines} == {
        "declared: no, derived: fits (the promise could be wider)"
    }


def test_every_link_of_the_page_leads_somewhere_on_it(fleetdesk: OpenProduct):
    text = page(fleetdesk, gathered(fleetdesk))
    targets = re.findall(r'\sid="([^"]+)"', text)
    assert len(targets) == len(set(targets))
    links = set(re.findall(r'href="([^"]*)"', text))
    assert {link for link in links if not link.startswith("#")} == set()
    assert {link[1:] for link in links} <= set(targets)
    assert len(links) > 30


def test_no_path_of_the_maker_is_on_the_page(fleetdesk: OpenProduct):
    assert str(REPOSITORY) not in page(fleetdesk, gathered(fleetdesk))


def test_same_input_same_bytes(fleetdesk: OpenProduct):
    again = open_product(REPOSITORY / "release-specs/fleetdesk")
    assert page(fleetdesk, gathered(fleetdesk)) == page(again, gathered(again))


def test_nothing_that_a_spec_says_becomes_markup(tmp_path: Path):
    text = page(*hostile(tmp_path))
    assert "{{ 7*7 }}" in text
    assert re.findall(r"<(?:img|iframe|object|embed|link|base|form)\b", text) == []
    assert text.count("<script>") == text.count("</script>") == 1
    assert text.count("<style>") == text.count("</style>") == 1


def hostile(tmp_path: Path) -> tuple[OpenProduct, Content]:
    opened = hostile_product(tmp_path / "demo")
    tried = rehearsal(opened.product, {("1.0.0", "1.1.0"): False}, HOSTILE)
    return opened, gathered(opened, write_rehearsal(tmp_path / "m.json", opened.product, tried))


def test_a_page_grows_with_its_cells_and_no_faster(tmp_path: Path):
    """At 100 releases 2.6 MB, half of it the matrix; the rest is so much for each release."""
    opened = open_sample(tmp_path / "demo", 20)
    size = len(page(opened, gathered(opened)))
    assert size < 20 * 20 * 250 + 20 * 22_000


def test_the_json_says_what_the_page_says(fleetdesk: OpenProduct):
    document = report_json(gathered(fleetdesk))
    assert document["views"]["declared"] == document["views"]["derived"]
    assert document["views"]["declared"][0] == ["fits", "fits", "no", "no", "no", "no", "no"]
    newest = document["sections"][0]
    assert newest["release"] == "4.3.0"
    assert "conflicts fleetdesk-schema < 14" in newest["packages"][0]["relations"]
    assert document["reasons"]["reason-server-4.1.0"]["facts"][0]["place"] == "4.1.0.yaml:50:13"
