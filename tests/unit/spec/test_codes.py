"""Every problem is stable, explained and tested."""

from pathlib import Path

import pytest

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint, Place

TESTS = "".join(
    path.read_text() for path in sorted(Path(__file__).parent.rglob("test_*.py")) if path != Path(__file__)
)  # fmt: skip


@pytest.mark.parametrize("code", Code, ids=lambda code: code.value)
def test_every_code_is_tested(code: Code) -> None:
    assert code.value in TESTS or f"Code.{code.name}" in TESTS


@pytest.mark.parametrize("code", Code, ids=lambda code: code.value)
def test_every_code_is_explained(code: Code) -> None:
    assert code.value == code.value.lower()
    assert code.title.endswith(".")


def test_a_problem_needs_a_cure() -> None:
    with pytest.raises(ValueError, match="helps nobody"):
        Complaint(Code.NAME, "wrong", "").at(Place(Origin(file="f")))
