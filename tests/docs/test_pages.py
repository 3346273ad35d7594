"""README and every page of the documentation: their commands run, their links lead somewhere."""

import os
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.pages import DOCS, File, follow, make_workplace, steps

README = (REPOSITORY / "README.md").read_text()
LESSONS = sorted((DOCS / "tutorial").glob("*.md"))
GUIDES = sorted(set(DOCS.rglob("*.md")) - set(LESSONS))
FRONT = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES = [*FRONT, *LESSONS, *GUIDES]


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    return make_workplace(tmp_path)


def test_the_readme_runs_from_top_to_bottom(workplace: Path):
    assert follow(README, workplace) >= 7
    assert len(list((workplace / "dist").glob("*.deb"))) == 2
    assert len(list((workplace / "dist").glob("*.rpm"))) == 2


def test_the_tutorial_runs_from_the_first_lesson_to_the_last(workplace: Path):
    assert len(LESSONS) == 3
    for lesson in LESSONS:
        assert follow(lesson.read_text(), workplace) >= 3


@pytest.mark.parametrize(
    "page", [page for page in GUIDES if "\n```console\n" in page.read_text()], ids=name
)
def test_the_guides_run_from_top_to_bottom(page: Path, workplace: Path):
    assert follow(page.read_text(), workplace)


def test_a_page_is_read_as_its_reader_does():
    page = "```yaml a/b.yaml\nx: 1\n```\n```console\n$ one  # exits with 3\nsaid\n$ two\n```\n"
    file, one, two = steps(page)
    assert isinstance(file, File)
    assert (file.name, file.text) == ("a/b.yaml", "x: 1\n")
    assert not isinstance(one, File)
    assert not isinstance(two, File)
    assert (one.exit_code, one.answer) == (3, ("said",))
    assert (two.exit_code, two.text) == (0, "two")


def test_a_page_that_says_what_is_not_so_is_found(workplace: Path):
    for text in ("$ false", "$ true  # exits with 3", "$ echo one\ntwo"):
        with pytest.raises(AssertionError):
            follow(f"```console\n{text}\n```\n", workplace)


def anchors(page: Path) -> set[str]:
    """What a heading's link is called on the pages of a forge."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_every_page_can_be_found_from_the_index():
    index = (DOCS / "README.md").read_text()
    named = {(DOCS / path).resolve() for path in re.findall(r"\]\(([^)#:]+)\)", index)}
    for page in DOCS.rglob("*.md"):
        assert page.name == "README.md" or page in named or page.parent in named, page


def test_the_two_commands_exist():
    for command in ("scripts/demo", "scripts/test"):
        assert os.access(REPOSITORY / command, os.X_OK)


def test_nothing_waits_to_be_filled_in():
    for page in PAGES:
        assert not re.search(r"^[A-Z]+_[A-Z]+$|TODO|FIXME", page.read_text(), re.MULTILINE), page
