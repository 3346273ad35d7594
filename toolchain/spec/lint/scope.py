"""What a rule may know besides the statement: the step, and what its transaction did so far."""

from collections.abc import Set
from dataclasses import dataclass, field

from toolchain.model.change import Phase, Step
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.made import Thing, created, new_columns
from toolchain.spec.lint.mode import Mode
from toolchain.spec.lint.names import Relation, relation_of
from toolchain.spec.sql.parser import Statement

_RELATIONS = frozenset({"table", "view", "materialized view", "sequence", "foreign table", "index"})


@dataclass(slots=True)
class Fresh:
    """What no server of an earlier release knows, because the step or its release made it."""

    things: list[Thing] = field(default_factory=list)
    relations: set[Relation] = field(default_factory=set)
    columns: set[tuple[Relation, str]] = field(default_factory=set)

    def note(self, statement: Statement) -> None:
        """Remember what a statement makes."""
        self.things.extend(created(statement))
        self.relations |= new_relations(statement, self.relations)
        self.columns.update(new_columns(statement))


def new_relations(statement: Statement, known: Set[Relation]) -> set[Relation]:
    """The relations that nobody used before a statement; `known` are those of before it.

    A table that is renamed is as new as it was.
    """
    if (
        statement.kind == "RenameStmt"
        and relation_of(statement.tree.get("relation", {})) not in known
    ):
        return set()
    return {thing.name for thing in created(statement) if thing.kind in _RELATIONS}


@dataclass(slots=True, kw_only=True)
class Scope:
    """One file of one step, while its statements are looked at in order.

    `empty` holds relations that nobody uses yet, so that no lock on them is noticed; `fresh` is
    what the whole release has made so far, `coming` all that this file makes, from first to last.
    """

    step: Step
    undo: bool
    catalogue: Catalogue
    fresh: Fresh
    coming: tuple[Thing, ...]
    empty: set[Relation]
    held: dict[Relation, Mode] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    ordered: bool = True

    @property
    def before_contract(self) -> bool:
        """Whether servers of the release before still work while the file runs, and must go on."""
        return not self.undo and self.step.phase is not Phase.CONTRACT

    def has(self, thing: Thing) -> bool:
        """Whether the release itself made a thing, or something that serves in its place."""
        if thing.name in self.fresh.relations and thing.table is None:
            return True
        if thing.table in self.fresh.relations or (thing.table, thing.name.name) in (
            self.fresh.columns
        ):
            return True
        return any(other.serves(thing) for other in (*self.fresh.things, *self.coming))
