"""Who is compared: a way to keep two forms, at a stage of its life, and the servers that use it."""

from dataclasses import dataclass, field, replace
from enum import Enum

from benchmarks.cluster import Database
from benchmarks.sync.copying import Copy
from benchmarks.sync.forms import DUAL, DUAL_ONE_READ, NEW, OLD, Form
from benchmarks.sync.patterns import (
    AFTER_TRIGGERS,
    DUAL_WRITES,
    PGROLL,
    PGROLL_NEW,
    PGROLL_OLD,
    RESHAPE,
    RESHAPE_NEW,
    RESHAPE_OLD,
)
from benchmarks.sync.schema import MOVED, known, split
from benchmarks.sync.verdict import Side
from toolchain.model.refactoring import Strategy
from toolchain.refactor.phases import Phases

WIDE = Side(relation="public.host", key="id", columns=tuple(MOVED))
PARTED = Side(relation="public.host_hardware", key="host_id", columns=tuple(MOVED))
DOUBLED = Side(relation="public.host", key="id", columns=tuple(f"new_{name}" for name in MOVED))
# The key of each contestant that a goal names.
ALONE_AGAIN = "alone-again"
ALONE, DUAL_WRITING, AFTER, VIEW, MOVING, CONTRACTED, FILLING, FILLED = (
    "alone", "dual", "after", "view", "view-moving", "view-contracted", "copy-filling",
    "copy-filled",
)  # fmt: skip


class Stage(Enum):
    """How far a declared refactoring has come."""

    EXPANDED = "expanded"
    MOVING = "moving"
    MOVED = "moved"
    CONTRACTED = "contracted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of the table; `sides` are where the counted updates must all be found."""

    key: str
    name: str
    forms: tuple[Form, Form]
    sides: tuple[Side, ...]
    setup: tuple[str, ...] = ()
    phases: Phases | None = None
    stage: Stage = Stage.EXPANDED


@dataclass(slots=True, kw_only=True)
class Entry:
    """A contestant in its own database."""

    contestant: Contestant
    database: Database
    copy: Copy | None = field(default=None)

    def set_up(self) -> None:
        """Bring the filled table to the contestant's stage."""
        contestant, database = self.contestant, self.database
        for statement in contestant.setup:
            database.execute(statement)
        if (phases := contestant.phases) is None:
            database.execute("VACUUM ANALYZE")
            return
        database.execute(phases.expand.sql)
        if phases.migrate is not None:
            self.copy = Copy(database=database, migration=phases.migrate)
        if contestant.stage is not Stage.EXPANDED:
            self.begin()
        if contestant.stage in (Stage.MOVED, Stage.CONTRACTED):
            self.finish()
        if contestant.stage is Stage.CONTRACTED:
            self.contract()
        database.execute("VACUUM ANALYZE")

    def begin(self) -> None:
        """Begin the migration, where there is one."""
        if self.copy is not None:
            self.copy.begin()

    def finish(self) -> None:
        """Copy what is left."""
        if self.copy is not None:
            self.copy.finish()

    def contract(self) -> None:
        """Take the old form away."""
        if self.contestant.phases is not None and self.contestant.phases.contract is not None:
            self.database.execute(self.contestant.phases.contract)


def others() -> tuple[Contestant, ...]:
    """What Interlock is compared with; the first is the measure of all."""
    both = (WIDE, PARTED)
    reshape_new = replace(
        NEW,
        search_path=RESHAPE_NEW,
        # No foreign key, so the part goes first, by hand.
        replace=("DELETE FROM host_hardware WHERE host_id = :id", *NEW.replace),
        delete=("DELETE FROM host_hardware WHERE host_id = :id", *NEW.delete),
    )
    return (
        Contestant(
            key=ALONE, name="one form: the wide table alone", forms=(OLD, OLD), sides=(WIDE,)
        ),
        # What differs between these two is the machine.
        Contestant(key=ALONE_AGAIN, name="one form, once more", forms=(OLD, OLD), sides=(WIDE,)),
        Contestant(
            key=DUAL_WRITING,
            name="dual writes in the application, both read",
            forms=(DUAL, DUAL),
            sides=both,
            setup=DUAL_WRITES,
        ),
        Contestant(
            key="dual-one-read",
            name="dual writes in the application, one read",
            forms=(DUAL_ONE_READ, DUAL_ONE_READ),
            sides=both,
            setup=DUAL_WRITES,
        ),
        Contestant(
            key="pgroll",
            name="pgroll's pattern (0.14), by hand, columns doubled in one table",
            forms=(replace(OLD, search_path=PGROLL_OLD), replace(OLD, search_path=PGROLL_NEW)),
            sides=(WIDE, DOUBLED),
            setup=PGROLL,
        ),
        Contestant(
            key="reshape",
            name="reshape's pattern (past 0.7.0), by hand",
            forms=(replace(OLD, search_path=RESHAPE_OLD), reshape_new),
            sides=both,
            setup=RESHAPE,
        ),
        Contestant(
            key=AFTER,
            name="two AFTER triggers, by hand",
            forms=(OLD, NEW),
            sides=both,
            setup=AFTER_TRIGGERS,
        ),
    )


def interlock() -> tuple[Contestant, ...]:
    """The split as it is generated, at each stage of its life."""
    from toolchain.refactor.split.table import phases  # noqa: PLC0415

    view = phases("split-host", split(Strategy.VIEW), known())
    copy = phases("split-host", split(Strategy.COPY), known())
    rows = (
        (VIEW, "Interlock, view: expanded", view, Stage.EXPANDED),
        (MOVING, "Interlock, view: while it is moved", view, Stage.MOVING),
        (CONTRACTED, "Interlock, view: contracted", view, Stage.CONTRACTED),
        (FILLING, "Interlock, copy: while it is filled, two old servers", copy, Stage.MOVING),
        (FILLED, "Interlock, copy: filled", copy, Stage.MOVED),
    )
    return tuple(
        Contestant(
            key=key,
            name=name,
            forms=_usable(generated, stage),
            sides=(PARTED,) if stage is Stage.CONTRACTED else (WIDE, PARTED),
            phases=generated,
            stage=stage,
        )
        for key, name, generated, stage in rows
        # A generator may know better than to make copies.
        if generated.strategy is (Strategy.VIEW if generated is view else Strategy.COPY)
    )


def _usable(phases: Phases, stage: Stage) -> tuple[Form, Form]:
    """The forms that servers of different releases use at a stage."""
    if stage is Stage.CONTRACTED:
        return NEW, NEW
    ready = phases.ready_at_expand or stage is Stage.MOVED
    return OLD, NEW if ready else OLD
