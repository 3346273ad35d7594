"""The page about the simulation names every gate and assumption."""

from tests.docs.pages import DOCS
from toolchain.simulate.commands import Assumption, Gate

PAGE = (DOCS / "explanation/simulation.md").read_text()


def test_every_gate_and_assumption_has_its_row():
    for name in (*Gate, *Assumption):
        assert f"| `{name.value}` |" in PAGE
