"""PostgreSQL's table locks, by strength, with what each keeps from whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from toolchain.spec.codes import Code
from toolchain.spec.lint.names import Relation


class Mode(IntEnum):
    """The table-level locks ("Explicit Locking" in PostgreSQL's manual), weakest first.

    The numbers are PostgreSQL's own (storage/lockdefs.h), which LOCK TABLE's parse tree carries.
    """

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def words(self) -> str:
        """The mode as PostgreSQL's manual writes it."""
        return self.name.replace("_", " ")

    @property
    def article(self) -> str:
        """`a` or `an`, before the words."""
        return "an" if self.words[0] in "AE" else "a"

    @property
    def victims(self) -> str:
        """Whom the mode keeps waiting."""
        if self is Mode.ACCESS_EXCLUSIVE:
            return "every read and write"
        if self >= Mode.SHARE:
            return "every write"
        return "other schema changes"


class Work(Enum):
    """How long a lock is kept, beyond the moment that a change of the catalogue takes."""

    BRIEF = "brief"
    SCAN = "scan"
    BUILD = "build"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that a statement takes on a relation which may be in use, and the work under it.

    A lock that would stop a service carries the `code` of its finding, what takes it (`deed`), how
    long it lasts (`lasting`), and the safe form (`cure`); clauses, without a full stop.
    """

    relation: Relation
    mode: Mode
    work: Work = Work.BRIEF
    code: Code | None = None
    deed: str = ""
    lasting: str = ""
    cure: str = ""


def sentence(locks: Sequence[Lock]) -> str:
    """What one statement's locks of one kind do, as a finding says it."""
    first, *_ = locks
    *others, last = sorted({str(lock.relation) for lock in locks})
    where = f"{', '.join(others)} and {last}" if others else last
    return (
        f"{first.deed} takes {first.mode.article} {first.mode.words} lock on {where}"
        f" {first.lasting}, which blocks {first.mode.victims}"
    )
