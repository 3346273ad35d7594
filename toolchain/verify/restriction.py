"""What is new in a case, for a verification of that alone.

What stands in a repository was proved when it came. A new package adds a row or a column to the
matrix, states that a shard can be in, and commands that lead to it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from toolchain.model.carried import PackageFile
from toolchain.model.law import ShardHandshake
from toolchain.verify.halves import Case
from toolchain.verify.libsolv import Disagreement, ask_questions
from toolchain.verify.questions import Question, Row, ask_row, partners
from toolchain.verify.transitions import HostState


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """The new packages and shard states of a case, by place."""

    servers: frozenset[int]
    databases: frozenset[int]
    states: frozenset[int]

    @classmethod
    def of(cls, case: Case, only: Collection[str], known: Iterable[ShardHandshake]) -> "New":
        """What is new by the sha256 of packages; `known` are the states that were asked about."""
        before = frozenset(known)

        def places(files: Iterable[PackageFile]) -> frozenset[int]:
            return frozenset(at for at, file in enumerate(files) if file.sha256 in only)

        return cls(
            servers=places(half.file for half in case.servers),
            databases=places(half.file for half in case.databases),
            states=frozenset(at for at, one in enumerate(case.states) if one not in before),
        )

    @classmethod
    def newest(cls, case: Case, count: int) -> "New":
        """The last releases of a case, so many."""
        servers, databases = len(case.servers), len(case.databases)
        return cls(
            servers=frozenset(range(max(0, servers - count), servers)),
            databases=frozenset(range(max(0, databases - count), databases)),
            states=frozenset(range(len(case.states))) if servers <= count else frozenset(),
        )

    def __bool__(self) -> bool:
        return bool(self.servers or self.databases or self.states)

    def touches(self, question: Question) -> bool:
        """Whether it is about something new."""
        return (
            question.server in self.servers
            or question.database in self.databases
            or not self.states.isdisjoint(question.shards)
        )

    def ask(self, row: Row) -> Iterator[Question]:
        """The questions of a row that are about something new, without making all others."""
        if row.server in self.servers:
            return ask_row(row)
        beside = partners(row)
        wide = not (
            self.states.isdisjoint((beside.good, beside.bad))
            and self.databases.isdisjoint((beside.good_database, beside.bad_database))
        )
        shards = range(len(row.shards)) if wide else sorted(self.states)
        found = ask_row(row, shards=shards, databases=sorted(self.databases))
        return (question for question in found if self.touches(question))

    def holds(self, state: HostState) -> bool:
        """Whether something new stands on such a host."""
        return (
            state.server in self.servers
            or state.database in self.databases
            or not self.states.isdisjoint(state.shards)
        )

    def surroundings(self, case: Case, rows: Sequence[Row]) -> Case:
        """A small case of what is new and its neighbours: what each solver can be asked wholly."""
        servers = _nearby(self.servers, len(case.servers))
        databases = _nearby(self.databases, len(case.databases))
        states = _nearby(self.states, len(case.states))
        for row in (rows[at] for at in self.servers):
            databases.update(_edges(row.databases))
            states.update(_edges(row.shards))
        for at in self.databases:
            servers.update(_edges([row.databases[at] for row in rows]))
        for at in self.states:
            servers.update(_edges([row.shards[at] for row in rows]))
        return replace(
            case,
            servers=tuple(case.servers[at] for at in sorted(servers)),
            databases=tuple(case.databases[at] for at in sorted(databases)),
            states=tuple(case.states[at] for at in sorted(states)),
        )


def pairs(case: Case, new: New | None) -> int:
    """How many pairs a case has, or how many of them have a new half."""
    servers, counterparts = len(case.servers), len(case.databases) or len(case.states)
    if new is None:
        return servers * counterparts
    added = len(new.databases if case.databases else new.states)
    return servers * counterparts - (servers - len(new.servers)) * (counterparts - added)


def ask_new(case: Case, rows: Sequence[Row], new: New) -> tuple[int, tuple[Disagreement, ...]]:
    """How many questions libsolv was asked about what is new, and those it got wrong.

    Where one about several counterparts went wrong, the parts of it that are not new are asked
    too: they may explain it.
    """
    count, wrong = ask_questions(case, (question for row in rows for question in new.ask(row)))
    parts = {
        part.key: part
        for item in wrong
        for part in rightly(rows, item.question)
        if not new.touches(part)
    }
    more, explaining = ask_questions(case, parts.values())
    return count + more, (*wrong, *explaining)


def rightly(rows: Sequence[Row], question: Question) -> Iterator[Question]:
    """The parts of a question, each with the law's answer."""
    for part in question.parts:
        row = rows[part.server]
        legal = (
            row.shards[part.shards[0]] if part.database is None else row.databases[part.database]
        )
        yield replace(part, legal=legal)


def _edges(fits: Sequence[bool]) -> set[int]:
    """Both ends, and both sides of every change between."""
    last = len(fits) - 1
    flips = {at + side for at in range(last) if fits[at] != fits[at + 1] for side in (0, 1)}
    return flips | {0, last} if fits else set()


def _nearby(places: Iterable[int], count: int) -> set[int]:
    """The places themselves, and those before and after."""
    return {near for at in places for near in (at - 1, at, at + 1) if 0 <= near < count}
