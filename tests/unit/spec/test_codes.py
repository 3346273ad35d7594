"""Every problem is stable, explained and tested."""

from pathlib import Path

import pytest

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint, Place

_SPEC = Path(__file__).parent
_ABOUT_CODES = [*_SPEC.rglob("test_*.py"), _SPEC.parent / "build/test_overlay.py"]
TESTS = "".join(path.read_text() for path in _ABOUT_CODES if path != Path(__file__))


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
