"""One relation of a package, in the words of both formats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """A package's name, and an operator as rpm writes it (`<`, `<=`, `=`, `>=`, `>`) or none."""

    name: str
    operator: str = ""
    version: str = ""

    @property
    def debian(self) -> str:
        """As it stands in a control field (Debian Policy §7.1)."""
        if not self.operator:
            return self.name
        operator = {"<": "<<", ">": ">>"}.get(self.operator, self.operator)
        return f"{self.name} ({operator} {self.version})"
