"""What a package file carries, read without judgement: every relation of every field.

`Relation` is what Interlock means to write and cannot hold a mistake. These values can: an
unversioned Provides, an alternative, a field that no plan uses.
"""

from dataclasses import dataclass
from enum import Enum

from toolchain.model.relation import Operator
from toolchain.model.release import Format


class Field(Enum):
    """A relation field of either format, by its name in the package."""

    PROVIDES = "Provides"
    CONFLICTS = "Conflicts"
    DEPENDS = "Depends"
    REQUIRES = "Requires"
    PRE_DEPENDS = "Pre-Depends"
    RECOMMENDS = "Recommends"
    SUGGESTS = "Suggests"
    SUPPLEMENTS = "Supplements"
    ENHANCES = "Enhances"
    BREAKS = "Breaks"
    REPLACES = "Replaces"
    OBSOLETES = "Obsoletes"

    @property
    def demands(self) -> bool:
        """Whether the package can't be installed unless something satisfies the relation."""
        return self in (Field.DEPENDS, Field.REQUIRES, Field.PRE_DEPENDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One name with its bound, or without; `name` is a whole rich dependency in some rpms."""

    name: str
    operator: Operator | None = None
    version: str | None = None

    def __str__(self) -> str:
        return self.name if self.operator is None else self._bounded(self.operator)

    def _bounded(self, operator: Operator) -> str:
        return f"{self.name} {operator.value} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One relation; several clauses are alternatives, `a | b`."""

    field: Field
    clauses: tuple[Clause, ...]

    def __str__(self) -> str:
        return f"{self.field.value}: {' | '.join(map(str, self.clauses))}"

    def mentions(self, names: frozenset[str]) -> bool:
        """Whether a clause speaks of one of these packages; a rich dependency's words count."""
        return any(
            clause.name in names
            or (clause.name.startswith("(") and names & set(clause.name.strip("()").split()))
            for clause in self.clauses
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A package file: who it is, what it carries, and the handshake that lies inside.

    `version` is whole, with epoch and revision, as the format writes it. `control` is a deb's
    control paragraph, word for word, for apt to read by itself. `handshake` is the bytes of its
    `release.json`, None where there is none. `stand_ins` are the paths of programs that hold the
    place of a release's own, in packages with a handshake.
    """

    path: str
    format: Format
    name: str
    version: str
    architecture: str
    relations: tuple[Carried, ...]
    protected: bool
    sha256: str
    size: int
    handshake: bytes | None = None
    stand_ins: tuple[str, ...] = ()
    control: str = ""

    @property
    def file_name(self) -> str:
        """The last part of its path, by which sentences name it."""
        return self.path.rpartition("/")[2]

    def of(self, field: Field) -> tuple[Carried, ...]:
        """The relations of one field, in order."""
        return tuple(relation for relation in self.relations if relation.field is field)
