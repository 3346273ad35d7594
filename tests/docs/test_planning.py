"""The page on planning: its words are those of the answer, its options exist."""

import re
from pathlib import Path

from tests.conftest import REPOSITORY, run_interlock
from tests.docs.pages import DOCS, Command, File, steps

PAGE = (DOCS / "how-to/plan-a-rollout.md").read_text()


def test_the_words_of_the_page_are_those_of_the_answer(tmp_path: Path):
    inventory = next(step for step in steps(PAGE) if isinstance(step, File))
    first = next(step for step in steps(PAGE) if isinstance(step, Command))
    (tmp_path / inventory.name).write_text(inventory.text)
    (tmp_path / "release-specs").symlink_to(REPOSITORY / "release-specs")
    text = run_interlock(tmp_path, *first.text.split()[1:]).stdout
    for word in ("what moves", "from", "to", "notes", "4.1.0 before its contract", "for good"):
        assert word in PAGE
        assert word in text


def test_options_on_the_page_exist(tmp_path: Path):
    known = run_interlock(tmp_path, "plan", "--help").stdout
    for option in set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", PAGE)) - {"--phase"}:
        assert option in known
