"""Whether a server's statements do what a form cannot bear before it is the only one."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from toolchain.matrix.chain import FormChain
from toolchain.model.history import parents
from toolchain.model.law import compatible
from toolchain.model.statement import Statement
from toolchain.model.version import Version
from toolchain.refactor.phases import Limit
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Complaint, Place, Problem, Related
from toolchain.spec.refactoring.acts import Done, acts_of
from toolchain.spec.sql.parser import parse

Limits = Mapping[str, tuple[Limit, ...]]
Statements = Mapping[Version, Sequence[Statement]]


def check_limits(
    releases: Sequence[Facts], chain: FormChain, limits: Limits, statements: Statements
) -> Iterator[Problem]:
    """The statements that fail, or do something else, on a shard that their server may meet.

    `releases` have their windows settled; `limits` are those of each declared change.
    """
    if not any(limits.values()):
        return
    above = parents(releases)
    for at, shard in enumerate(releases):
        parent = above[at]
        gone = frozenset() if parent is None else chain.held[parent].contracted
        for change in sorted(chain.held[at].expanded - gone):
            for server in releases:
                if limits.get(change) and compatible(server.server, shard.shard):
                    for statement in statements.get(server.version, ()):
                        yield from _problems(statement, limits[change], _expand(releases, change))


def _expand(releases: Sequence[Facts], change: str) -> PlacedStep:
    return next(
        placed
        for release in releases
        for placed in release.steps
        if placed.step.change == change and placed.step.refactoring is not None
    )


def _problems(
    statement: Statement, limits: Sequence[Limit], expand: PlacedStep
) -> Iterator[Problem]:
    for limit in limits:
        for done in _done(statement.sql):
            if _meets(done, limit):
                yield Complaint(
                    Code.STATEMENT_LIMIT,
                    f"the statement {statement.name} meets {limit.relation} while it has two forms:"
                    f" {limit.why}",
                    "write the statement otherwise, or choose another strategy or operation",
                ).at(
                    Place(statement.origin),
                    Related(origin=expand.place.origin, message="the refactoring"),
                )
                break


def _meets(done: Done, limit: Limit) -> bool:
    if (done.act, done.relation) != (limit.act, limit.relation):
        return False
    return not limit.columns or bool(limit.columns & done.columns)


@cache
def _done(sql: str) -> tuple[Done, ...]:
    parsed = parse("", sql)
    if isinstance(parsed, Problem):
        return ()
    return tuple(done for statement in parsed for done in acts_of(statement))
