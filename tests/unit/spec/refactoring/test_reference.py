"""The reference of the refactorings says what the code says; `--update-golden` rewrites it."""

from collections.abc import Mapping

import pytest

from tests.conftest import REPOSITORY
from tests.unit.spec.refactoring.page import Example, index_page, operation_page, operations
from tests.unit.spec.refactoring.test_declared import OPERATIONS

PAGES = REPOSITORY / "docs/reference/refactorings"
# What a declaration holds that another example of its operation does not.
TITLES: Mapping[str, str] = {
    "strategy: copy": "Example: parts are tables at once",
    "key: [name]": "Example: a part that several rows share",
}
MORE = (
    Example(
        title="Example: a default for all rows",
        declared="add_column: {table: host, column: tag, type: text, default: \"''\"}",
        later="",
    ),
    Example(
        title="Example: old servers go on reading it",
        declared="drop_column: {table: host, column: name, value: \"''\"}",
        later="c",
    ),
    Example(
        title="Example: a unique constraint",
        before="ALTER TABLE host ADD UNIQUE (name)",
        declared="drop_constraint: {table: host, name: host_name_key}",
        later="c",
    ),
)


def examples(operation: str) -> list[Example]:
    """Those whose SQL the golden files hold, and some that say more."""
    own = [
        Example(declared=declared, later=later, title=_title(declared))
        for declared, _, later in OPERATIONS
    ]
    return [each for each in (*own, *MORE) if each.operation == operation]


def _title(declared: str) -> str:
    return next((title for part, title in TITLES.items() if part in declared), "Example")


@pytest.mark.parametrize("operation", ["README", *operations()])
def test_pages(operation: str, request: pytest.FixtureRequest) -> None:
    index = operation == "README"
    text = index_page() if index else operation_page(operation, examples(operation))
    page = PAGES / f"{operation}.md"
    if request.config.getoption("--update-golden"):
        PAGES.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text


def test_every_page_is_of_an_operation() -> None:
    assert {page.stem for page in PAGES.iterdir()} == {"README", *operations()}
