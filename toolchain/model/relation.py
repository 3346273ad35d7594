"""Relations between packages, before any format has its say."""

from dataclasses import dataclass
from enum import Enum


class RelationKind(Enum):
    """The fields that Interlock writes; the value is the word of a plan and of `--json`."""

    PROVIDES = "provides"
    CONFLICTS = "conflicts"
    DEPENDS = "depends"


class Operator(Enum):
    """A comparison of package versions."""

    EARLIER = "<"
    EARLIER_OR_EQUAL = "<="
    EQUAL = "="
    LATER_OR_EQUAL = ">="
    LATER = ">"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One relation of a package: `conflicts fleetdesk-schema < 11`.

    `operator` and `version` stand or fall together. A Provides is always versioned with `=`: an
    unversioned one matches no versioned relation in dpkg and every range in rpm.
    """

    kind: RelationKind
    name: str
    operator: Operator | None = None
    version: str | None = None

    def __post_init__(self) -> None:
        if (self.operator is None) != (self.version is None):
            raise ValueError(f"{self.name}: an operator needs a version, and a version an operator")
        if self.kind is RelationKind.PROVIDES and self.operator is not Operator.EQUAL:
            raise ValueError(f"{self.name}: a Provides needs a version with '='")

    def __str__(self) -> str:
        bound = "" if self.operator is None else f" {self.operator.value} {self.version}"
        return f"{self.kind.value} {self.name}{bound}"
