"""The SQL of every declared refactoring, as it was reviewed: a published step must never change.

A shard's ledger keeps the checksum of what it ran, so a release that is built again with a later
Interlock has to carry the same bytes. `--update-golden` is for what nobody has published yet.
"""

from pathlib import Path

import pytest

from tests.unit.spec.refactoring.product import Specs
from tests.unit.spec.refactoring.test_declared import OPERATIONS

GOLDEN = Path(__file__).parent / "refactorings"


def slug(operation: str) -> str:
    """A file's name for an operation: its key, and what makes this case another one."""
    key, _, rest = operation.partition(":")
    words = [word for word in ("copy", "key") if word in rest.replace("_key", "")]
    return "-".join([key, *words]).replace("_", "-")


@pytest.mark.parametrize(
    ("operation", "later"),
    [(operation, later) for operation, _, later in OPERATIONS],
    ids=[slug(operation) for operation, _, _ in OPERATIONS],
)
def test_generated_sql(operation: str, later: str, request: pytest.FixtureRequest) -> None:
    specs = Specs(
        expand=operation,
        migrate="change: it" if "m" in later else None,
        contract="change: it" if "c" in later else None,
    )
    checked = specs.check()
    assert checked.product is not None, specs.told()
    found = "".join(
        f"-- {step.id}\n{step.sql.text}"
        + (f"\n-- undo of {step.id}\n{step.undo.text}" if step.undo else "")
        + "\n"
        for release in checked.product.releases
        for step in release.database.steps
        if step.change == "it"
    )
    path = GOLDEN / f"{slug(operation)}.sql"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(found)
    assert path.read_text() == found


def test_every_file_is_of_an_operation() -> None:
    files = {path.stem for path in GOLDEN.glob("*.sql")}
    assert files == {slug(operation) for operation, _, _ in OPERATIONS}
