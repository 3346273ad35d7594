"""Which phase each statement of a migration belongs to, as the safety lint judges it.

A statement that servers of the release before can't live with is a contract, one that writes the
rows of a table in use is a migrate, all others are an expand.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from toolchain.importer.statements import Piece
from toolchain.model.change import Phase, Script, Step
from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.lint.blocks import statements_of
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.made import created
from toolchain.spec.lint.narrowing import narrowing_complaints
from toolchain.spec.lint.removing import removal_complaints
from toolchain.spec.lint.scope import Fresh, Scope, new_relations
from toolchain.spec.lint.writing import write_complaints
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.files import SqlFile
from toolchain.spec.sql.parser import Statement

_TAKES = frozenset({Code.LINT_REMOVES, Code.LINT_NARROWS})
_WRITES = frozenset({Code.LINT_WRITE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A statement with its phase and the reason; `breaks` where no phase of its own mends it.

    A rename is needed by the new servers at once and refused by the old ones, so no order of plain
    SQL is right; only both names side by side are.
    """

    piece: Piece
    phase: Phase
    reason: str
    breaks: bool = False


@dataclass(slots=True)
class Judge:
    """What is known of the schema on the way through the migrations of all releases."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    fresh: Fresh = field(default_factory=Fresh)

    def begin_release(self) -> None:
        """What the release before made is in use from now on."""
        self.fresh = Fresh()

    def judge(self, pieces: Sequence[Piece]) -> tuple[Judged, ...]:
        """Each statement of a migration with its phase, in order."""
        coming = tuple(thing for each in pieces for thing in created(each.statement))
        judged = []
        for piece in pieces:
            scope = Scope(
                step=_EXPAND,
                undo=False,
                catalogue=self.catalogue,
                fresh=self.fresh,
                coming=coming,
                empty=set(self.fresh.relations),
            )
            inner = list(_inner(piece))
            judged.append(
                _judged(piece, [each for one in inner for each in _complaints(one, scope)])
            )
            for one in inner:
                self.catalogue.apply(one)
                self.fresh.note(one)
                self.fresh.relations |= new_relations(one, self.fresh.relations)
        return tuple(judged)


_EXPAND = Step(change="imported", phase=Phase.EXPAND, sql=Script(name=""), origin=Origin(file=""))


def _inner(piece: Piece) -> Iterator[Statement]:
    """The statement, and those inside it where it is a DO block."""
    file = SqlFile(
        shown="",
        text=piece.text,
        sha256=hashlib.sha256(piece.text.encode()).hexdigest(),
        statements=(replace(piece.statement, index=0),),
    )
    return statements_of(file)


def _complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    yield from removal_complaints(statement, scope)
    yield from narrowing_complaints(statement, scope)
    yield from write_complaints(statement, scope)


def _judged(piece: Piece, complaints: Sequence[Complaint]) -> Judged:
    for complaint in complaints:
        if complaint.code is Code.LINT_RENAMES:
            return Judged(piece=piece, phase=Phase.EXPAND, reason=_clause(complaint), breaks=True)
    for codes, phase in ((_TAKES, Phase.CONTRACT), (_WRITES, Phase.MIGRATE)):
        for complaint in complaints:
            if complaint.code in codes:
                return Judged(piece=piece, phase=phase, reason=_clause(complaint))
    things = [thing.shown for thing in created(piece.statement)]
    reason = f"makes {things[0]}" if things else "takes nothing from servers of the release before"
    return Judged(piece=piece, phase=Phase.EXPAND, reason=reason)


def _clause(complaint: Complaint) -> str:
    """The finding without the phase that the statement was tried in."""
    return complaint.message.removeprefix("the expand ").partition(": it keeps the lock")[0]
