"""Where law and solver differ, as findings: the simplest question that shows it, once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from toolchain.model.carried import Field, PackageFile
from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Relation
from toolchain.plan.relations import schema_conflicts, server_conflicts
from toolchain.verify.expected import carried
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.halves import Case, DatabaseHalf
from toolchain.verify.law import epoch_of
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.questions import Question, counterparts, described


def verdict_findings(
    case: Case,
    wrong: Iterable[Disagreement],
    asked: str,
    about: Callable[[Question], bool] | None = None,
) -> Iterator[Finding]:
    """A finding for each disagreement that no simpler one explains, of those that `about` picks."""
    wrong = tuple(wrong)
    keys = {item.question.key for item in wrong}
    for item in wrong:
        if about is not None and not about(item.question):
            continue
        if not any(part.key in keys for part in item.question.parts):
            yield _finding(case, item, asked)


def _finding(case: Case, item: Disagreement, asked: str) -> Finding:
    question, words = item.question, described(case, item.question)
    server, others = counterparts(case, question)
    files = (
        server.file.path,
        *(other.file.path for other in others if isinstance(other, DatabaseHalf)),
    )
    if question.legal:
        return Finding(
            kind=Kind.WOULD_BE_REFUSED,
            files=files,
            what=f"{words} would be refused, and the law allows it",
            relation=item.reason,
            law="fits",
            solver="refused",
            asked=(asked,),
            cure=f"mend what refuses it: {item.reason or 'nothing was said'}",
        )
    relation, cure = _blamed(case, question)
    return Finding(
        kind=Kind.WOULD_INSTALL,
        files=files,
        what=f"{words} would be installed, and the law forbids it",
        relation=relation,
        law="refused",
        solver="installs",
        asked=(asked,),
        cure=cure,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """A relation of the law that keeps two packages apart, if both say what they should.

    `holder` is the package where it belongs, None for the local package of a shard, which has it
    always. `blamed` and `cure` are what is wrong with the other package where the relation is
    there and doesn't match; empty where that can't be said.
    """

    words: str
    relation: Relation
    holder: PackageFile | None
    blamed: str = ""
    cure: str = ""


def _blamed(case: Case, question: Question) -> tuple[str, str]:
    """The relation that lets them stand together, and the cure.

    A relation that is missing comes first. Where each one is there, the fault is in what it is
    matched with: the other package's Provides or version.
    """
    bounds = tuple(_bounds(case, question))
    for bound in bounds:
        holder = bound.holder
        if holder is not None and carried(bound.relation, case.format) not in holder.relations:
            return bound.words, f"carry '{bound.words}'"
    for bound in bounds:
        if bound.cure:
            return bound.blamed, f"'{bound.words}' is there already: {bound.cure}"
    return "", "build both halves again from their specs"


def _bounds(case: Case, question: Question) -> Iterator[_Bound]:
    server, others = counterparts(case, question)
    for other in others:
        half = other if isinstance(other, DatabaseHalf) else None
        shard: ShardHandshake = other.says if isinstance(other, DatabaseHalf) else other
        if shard.schema not in server.says.schemas:
            low, *high = schema_conflicts(case.names, server.says.schemas)
            relation = low if shard.schema < server.says.schemas.oldest else high[0]
            blamed, cure = ("", "") if half is None else _of_provides(case, half)
            yield _Bound(
                words=f"{server.file.name} {relation}",
                relation=relation,
                holder=server.file,
                blamed=blamed,
                cure=cure,
            )
        if server.release not in shard.servers:
            low, *high = server_conflicts(case.names, shard.servers)
            relation = low if server.release < shard.servers.oldest else high[0]
            holder = case.names.shard_package("NAME") if half is None else half.file.name
            blamed, cure = _of_version(server.file)
            yield _Bound(
                words=f"{holder} {relation}",
                relation=relation,
                holder=None if half is None else half.file,
                blamed=blamed,
                cure=cure,
            )


def _of_provides(case: Case, half: DatabaseHalf) -> tuple[str, str]:
    """What is wrong with the schema that a database package provides."""
    schema = frozenset((case.names.schema_package,))
    provided = [str(item) for item in half.file.of(Field.PROVIDES) if item.mentions(schema)]
    right = f"{case.names.schema_package} = {half.says.schema}"
    if f"{Field.PROVIDES.value}: {right}" in provided:
        return "", ""
    wrong = " and ".join(f"'{item}'" for item in provided) or "nothing"
    return ", ".join(provided), f"let {half.file.name} provide '{right}' in place of {wrong}"


def _of_version(server: PackageFile) -> tuple[str, str]:
    """What is wrong with the version of a server package that a bound doesn't reach."""
    if not epoch_of(server.version):
        return "", ""
    own = f"{server.name} {server.version}"
    return own, f"it does not reach {own}, so version that without the epoch"
