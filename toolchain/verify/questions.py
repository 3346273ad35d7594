"""What the solvers are asked: every server against every shard state and database package.

Pure: the law's answer stands beside each question before any solver has been started.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from toolchain.model.law import ServerHandshake, ShardHandshake, compatible
from toolchain.verify.halves import Case, DatabaseHalf, ServerHalf


@dataclass(frozen=True, slots=True)
class Question:
    """May these stand on one host? Shards and database by their place in the case."""

    server: int
    shards: tuple[int, ...]
    database: int | None
    legal: bool

    @property
    def parts(self) -> tuple["Question", ...]:
        """The questions about one counterpart that this one is made of, if it has several."""
        if len(self.shards) + (self.database is not None) < 2:
            return ()
        single = tuple(Question(self.server, (shard,), None, True) for shard in self.shards)
        if self.database is None:
            return single
        return (*single, Question(self.server, (), self.database, True))

    @property
    def key(self) -> tuple[int, tuple[int, ...], int | None]:
        """What is asked, without the law's answer."""
        return self.server, self.shards, self.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server of a case: which shard states and which database packages fit it."""

    server: int
    shards: tuple[bool, ...]
    databases: tuple[bool, ...]


def law_rows(case: Case) -> tuple[Row, ...]:
    """The law's matrix of a case, one row for each server."""
    shards = (*case.states, *(half.says for half in case.databases))
    matrix = _matrix(tuple(half.says for half in case.servers), shards)
    states = len(case.states)
    return tuple(
        Row(server=number, shards=fits[:states], databases=fits[states:])
        for number, fits in enumerate(matrix)
    )


@lru_cache(maxsize=4)  # the debs of a product and its rpms ask the same
def _matrix(
    servers: tuple[ServerHandshake, ...], shards: tuple[ShardHandshake, ...]
) -> tuple[tuple[bool, ...], ...]:
    """Which shards fit each server."""
    order = sorted(range(len(servers)), key=lambda at: servers[at].version)
    versions = [servers[at].version for at in order]

    @cache  # most shard states are those of a database package
    def column(shard: ShardHandshake) -> Sequence[bool]:
        """Which servers fit; outside the shard's window, a run of them in order, none does."""
        fits = [False] * len(order)
        below = shard.servers.below
        end = None if below is None else bisect_left(versions, below)
        for at in order[bisect_left(versions, shard.servers.oldest) : end]:
            fits[at] = compatible(servers[at], shard)
        return fits

    return tuple(zip(*map(column, shards), strict=True)) if shards else ((),) * len(servers)


def _edges(fits: tuple[bool, ...]) -> tuple[int | None, int | None]:
    """The first that fits and the last before it that doesn't: the two sides of a window."""
    if True not in fits:
        return None, len(fits) - 1 if fits else None
    yes = fits.index(True)
    if yes > 0:
        return yes, yes - 1
    no = fits.index(False) if False in fits else None
    return yes, no


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """Who stands beside the counterpart that a question is about: one that fits, one that won't."""

    good: int | None
    bad: int | None
    good_database: int | None
    bad_database: int | None


def partners(row: Row) -> Partners:
    """The partners of a server's questions, by place."""
    good, bad = _edges(row.shards)
    good_database, bad_database = _edges(row.databases)
    return Partners(good=good, bad=bad, good_database=good_database, bad_database=bad_database)


def ask_row(
    row: Row, *, shards: Iterable[int] | None = None, databases: Iterable[int] | None = None
) -> Iterator[Question]:
    """Every question about one server, or those about some shard states and databases only.

    Each database package is asked about, and each shard state: alone, beside partners that fit
    (a second shard, a database package of another release), and, where it fits, beside each kind
    of partner that doesn't. A good partner must not redeem a bad shard, which is where a Depends
    in place of a Conflicts fails; a bad one must spoil a good shard.
    """
    server, beside = row.server, partners(row)
    for number in range(len(row.databases)) if databases is None else databases:
        yield Question(server, (), number, row.databases[number])
    for number in range(len(row.shards)) if shards is None else shards:
        fits = row.shards[number]
        yield Question(server, (number,), None, fits)
        if beside.good is not None or beside.good_database is not None:
            second = () if beside.good is None else (beside.good,)
            yield Question(server, (number, *second), beside.good_database, fits)
        if fits and beside.bad is not None:
            yield Question(server, (number, beside.bad), None, False)
        if fits and beside.bad_database is not None:
            yield Question(server, (number,), beside.bad_database, False)


def edge_questions(row: Row) -> Iterator[Question]:
    """Those where an answer flips, for witnesses that need a process for each question."""
    for number in _flips(row.databases):
        yield Question(row.server, (), number, row.databases[number])
    good, bad = _edges(row.shards)
    for number in _flips(row.shards):
        yield Question(row.server, (number,), None, row.shards[number])
    if good is not None and bad is not None:
        yield Question(row.server, (good, bad), None, False)
        yield Question(row.server, (good, good), None, True)


def _flips(fits: tuple[bool, ...]) -> tuple[int, ...]:
    """Both ends, and both sides of every change between."""
    last = len(fits) - 1
    return tuple(
        at
        for at, fit in enumerate(fits)
        if at in (0, last) or fit != fits[at - 1] or fit != fits[at + 1]
    )


def described(case: Case, question: Question) -> str:
    """The question in words: `server 4.1.0 with shards of schema 11 and 12`."""
    words = [f"server {case.servers[question.server].release}"]
    if question.shards:
        states = [str(shard_words(case.states[number])) for number in question.shards]
        words.append(f"{'shard' if len(states) == 1 else 'shards'} {' and '.join(states)}")
    if question.database is not None:
        words.append(f"database {case.databases[question.database].release}")
    return " with ".join(words)


def shard_words(state: ShardHandshake) -> str:
    """A shard's two numbers, in words."""
    return f"at schema {state.schema} that accepts servers {state.servers}"


def counterparts(
    case: Case, question: Question
) -> tuple[ServerHalf, tuple[ShardHandshake | DatabaseHalf, ...]]:
    """The server, and everything that it must fit."""
    others: list[ShardHandshake | DatabaseHalf] = [case.states[at] for at in question.shards]
    if question.database is not None:
        others.append(case.databases[question.database])
    return case.servers[question.server], tuple(others)
