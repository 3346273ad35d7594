"""The reference pages say what the schemas and the code say; `--update-golden` rewrites them."""

from pathlib import Path

import pytest

from toolchain.spec.reference import problems_page, spec_page
from toolchain.spec.shape.schema import SpecKind

PAGES = Path(__file__).parents[3] / "docs/reference"


@pytest.mark.parametrize("name", ["product", "release", "inventory", "problems"])
def test_pages(name: str, request: pytest.FixtureRequest) -> None:
    text = problems_page() if name == "problems" else spec_page(SpecKind(name))
    page = PAGES / f"{name}.md"
    if request.config.getoption("--update-golden"):
        PAGES.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text
