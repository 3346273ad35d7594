"""Whether a server may meet a shard that does not have what the server's statements need."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from toolchain.matrix.chain import FormChain, one_form
from toolchain.model.change import Form
from toolchain.model.history import parents
from toolchain.model.law import compatible
from toolchain.model.schema import Schema
from toolchain.model.statement import Statement
from toolchain.model.version import Version
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Complaint, Place, Problem, Related
from toolchain.spec.sql.files import SqlFiles
from toolchain.spec.statements.needs import Need, needs_of

if TYPE_CHECKING:
    from toolchain.spec.schema.replay import Replay

_WORD = re.compile(r"\w+")


def check_needs(
    releases: Sequence[Facts],
    chain: FormChain,
    statements: Mapping[Version, Sequence[Statement]],
    sql: SqlFiles,
) -> Iterator[Problem]:
    """The statements that fail on a shard on which the law lets their server run.

    `releases` have their windows settled. Nothing is said of what no step of the chain makes, nor
    where a spec declares that its server works with both forms: its statements may ask first.
    """
    if not any(statements.values()):
        return
    shards = _Shards(releases=releases, sql=sql)
    alike = one_form(chain.links)
    for at, server in enumerate(releases):
        for statement in statements.get(server.version, ()):
            for need in sorted(needs_of(statement.sql), key=Need.rank):
                missing = shards.missing(need, server)
                cause = None if missing is None else shards.cause(need, missing, at)
                if missing is None or cause is None:
                    continue
                change = cause.placed.step.change
                plain = change in alike and change not in server.forms
                if plain or chain.form(at, change) is (Form.NEW if cause.removes else Form.OLD):
                    yield _problem(statement, need, server, releases[missing], cause)
                    break  # the other needs follow from this one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """The step that removes what a statement needs, or that makes it too late, and whose it is."""

    placed: PlacedStep
    release: Facts
    removes: bool


@dataclass(frozen=True)
class _Shards:
    """What a shard has after each release, as far as the chain's SQL tells."""

    releases: Sequence[Facts]
    sql: SqlFiles

    @cached_property
    def _parents(self) -> tuple[int | None, ...]:
        return parents(self.releases)

    @cached_property
    def _replays(self) -> "Sequence[Replay]":
        found: list[Replay] = []
        for at, release in enumerate(self.releases):
            replay = self._before(at, found)
            for placed in release.steps:
                replay.apply(self._text(placed))
            found.append(replay)
        return found

    @cached_property
    def _schemas(self) -> Sequence[Schema]:
        return [replay.schema for replay in self._replays]

    @cached_property
    def _hidden(self) -> frozenset[str]:
        """The words of DO blocks, whose SQL no replay follows."""
        files = {placed.step.sql.name for each in self.releases for placed in each.steps
                 if placed.step.sql.text is None}  # fmt: skip
        known = [file for file in map(self.sql.known, sorted(files)) if file is not None]
        return frozenset(
            word
            for file in known
            if any(statement.kind == "DoStmt" for statement in file.statements)
            for word in _WORD.findall(file.text)
        )

    def _before(self, at: int, known: "Sequence[Replay]") -> "Replay":
        from toolchain.spec.schema.replay import Replay  # noqa: PLC0415 - its parser takes 0.1 s

        parent = self._parents[at]
        return Replay() if parent is None else known[parent].copy()

    def _text(self, placed: PlacedStep) -> str:
        file = self.sql.known(placed.step.sql.name)
        return "" if file is None else file.text

    def missing(self, need: Need, server: Facts) -> int | None:
        """The first release whose shards a server accepts, and that lacks what others have."""
        if need.relation.name in self._hidden:
            return None
        met = [need.met(schema) for schema in self._schemas]
        if True not in met:
            return None
        return next(
            (
                at
                for at, shard in enumerate(self.releases)
                if met[at] is False and compatible(server.server, shard.shard)
            ),
            None,
        )

    def cause(self, need: Need, missing: int, server: int) -> _Cause | None:
        """The step that took it from a release's shards, or else that gave it to the server's."""
        for at in self._back(missing):
            parent = self._parents[at]
            if parent is not None and need.met(self._schemas[parent]):
                return self._changing(need, at, to=False)
        for at in (*self._back(server), *range(len(self.releases))):
            parent = self._parents[at]
            before = False if parent is None else need.met(self._schemas[parent])
            if before is False and need.met(self._schemas[at]):
                return self._changing(need, at, to=True)
        return None

    def _back(self, at: int) -> Iterator[int]:
        """A release and those that it was built upon, the nearest first."""
        here: int | None = at
        while here is not None:
            yield here
            here = self._parents[here]

    def _changing(self, need: Need, at: int, *, to: bool) -> _Cause | None:
        """The last step of a release after which something is there, or is not."""
        replay, found, last = self._before(at, self._replays), None, not to
        for placed in self.releases[at].steps:
            replay.apply(self._text(placed))
            now = need.met(replay.schema) is True
            if now is to and now is not last:
                found = _Cause(placed=placed, release=self.releases[at], removes=not to)
            last = now
        return found


def _problem(
    statement: Statement, need: Need, server: Facts, shard: Facts, cause: _Cause
) -> Problem:
    step, by = cause.placed.step, cause.release
    verb, form = ("removes", "old") if cause.removes else ("makes", "new")
    cures = ["write the statement without it"]
    if (by.version > server.version) is cause.removes:  # else its own shards are not so
        cures.append(f"say so in {server.file} (server.forms: {{{step.change}: {form}}})")
    if cause.removes:
        cures.append(f"move {step.id} to a later release")
    return Complaint(
        Code.STATEMENT_NEED,
        f"the statement {statement.name} needs {need}, which shards of {shard.version} do not have,"
        f" and the server of {server.version} may run on them",
        ", or ".join(cures),
    ).at(
        Place(statement.origin),
        Related(origin=cause.placed.place.origin, message=f"{by.version} {verb} it by {step.id}"),
    )
