"""libsolv answers every question of a case.

Its time goes with the size of the pool: among 400 packages an answer takes 70 microseconds, among
forty it takes ten. Where no package demands another one of the pool, an answer depends on nothing
but the packages that it is about, so questions are asked in small pools of just those.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from toolchain.verify.halves import Case
from toolchain.verify.pool import SolverPool, known_names
from toolchain.verify.questions import Question, Row, ask_row

# So many servers, and so many counterparts, share a pool: among 5 to 20 the time is the same.
_BLOCK = 10
SLOTS = ("one", "two")


def libsolv_version() -> str:
    """The version of the bindings, which is libsolv's own."""
    return version("solv").partition(".post")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A question that a solver answers otherwise than the law, with the solver's reason."""

    question: Question
    reason: str = ""


class Libsolv:
    """A pool with what some questions are about; with `whole`, with everything of the case."""

    def __init__(
        self,
        case: Case,
        questions: Iterable[Question],
        *,
        known: frozenset[str] | None = None,
        whole: bool = False,
    ) -> None:
        self._pool = SolverPool(case.format)
        repository = self._pool.repository("packages")
        names = known or known_names(case.names, (*case.files, *case.others))
        about = _About.everything(case) if whole else _About.of(questions)

        def add(file: Any) -> Any:
            return self._pool.install(self._pool.add(repository, file, names))

        def shard(slot: str, number: int) -> Any:
            state = case.states[number]
            return self._pool.install(self._pool.add_shard(repository, case.names, slot, state))

        self._servers = {at: add(case.servers[at].file) for at in about.servers}
        self._databases = {at: add(case.databases[at].file) for at in about.databases}
        self._shards = tuple(
            {at: shard(slot, at) for at in numbers}
            for slot, numbers in zip(SLOTS, about.shards, strict=True)
        )
        if whole:
            for other in case.others:
                add(other)
        # A shard that is not asked about is no package that a repository could bring. Where
        # nothing demands anything nothing is brought, so the jobs are spared.
        unwanted = [self._pool.forbid(case.names.shard_package(slot)) for slot in SLOTS]
        self._absent = [unwanted[at:] if whole else [] for at in range(len(SLOTS) + 1)]
        self._pool.pool.createwhatprovides()
        self._solver = self._pool.pool.Solver()

    def _problems(self, question: Question) -> Sequence[Any]:
        asked = [self._servers[question.server]]
        asked += [slot[at] for slot, at in zip(self._shards, question.shards, strict=False)]
        if question.database is not None:
            asked.append(self._databases[question.database])
        asked += self._absent[len(question.shards)]
        problems: Sequence[Any] = self._solver.solve(asked)
        return problems

    def accepts(self, question: Question) -> bool:
        """Whether all of them may stand on one host."""
        return not self._problems(question)

    def reason(self, question: Question) -> str:
        """Why not, in libsolv's words; empty where it accepts."""
        return "; ".join(str(problem) for problem in self._problems(question))


@dataclass(slots=True, kw_only=True)
class _About:
    """The places of all packages that some questions speak of."""

    servers: set[int]
    databases: set[int]
    shards: tuple[set[int], set[int]]

    @classmethod
    def of(cls, questions: Iterable[Question]) -> "_About":
        found = cls(servers=set(), databases=set(), shards=(set(), set()))
        for question in questions:
            found.servers.add(question.server)
            if question.database is not None:
                found.databases.add(question.database)
            for slot, at in zip(found.shards, question.shards, strict=False):
                slot.add(at)
        return found

    @classmethod
    def everything(cls, case: Case) -> "_About":
        states = set(range(len(case.states)))
        return cls(
            servers=set(range(len(case.servers))),
            databases=set(range(len(case.databases))),
            shards=(states, set(states)),
        )


def _blocks(questions: Iterable[Question]) -> Iterable[Sequence[Question]]:
    """The questions about neighbouring servers and counterparts together."""
    blocks: defaultdict[tuple[int, bool, int], list[Question]] = defaultdict(list)
    for question in questions:
        number = question.shards[0] if question.shards else question.database or 0
        place = question.server // _BLOCK, bool(question.shards), number // _BLOCK
        blocks[place].append(question)
    return blocks.values()


def demanding(case: Case, known: frozenset[str]) -> bool:
    """Whether a package demands something that another one of the pool may satisfy.

    `known` are the names of the case's packages and of what they provide.
    """
    return any(
        relation.field.demands and relation.mentions(known)
        for file in (*case.files, *case.others)
        for relation in file.relations
        if not all(clause.name.startswith("config(") for clause in relation.clauses)
    )


def ask_libsolv(case: Case, rows: Sequence[Row]) -> tuple[int, tuple[Disagreement, ...]]:
    """How many questions were asked, and those that were answered otherwise than by the law."""
    return ask_questions(case, (question for row in rows for question in ask_row(row)))


def ask_questions(
    case: Case, questions: Iterable[Question]
) -> tuple[int, tuple[Disagreement, ...]]:
    """The same about some questions."""
    known = known_names(case.names, (*case.files, *case.others))
    whole = demanding(case, known)
    blocks = [list(questions)] if whole else _blocks(questions)
    count, wrong = 0, []
    for block in blocks:
        libsolv = Libsolv(case, block, known=known, whole=whole)
        for question in block:
            count += 1
            if libsolv.accepts(question) != question.legal:
                reason = libsolv.reason(question)
                wrong.append(Disagreement(question=question, reason=reason))
    return count, tuple(wrong)
