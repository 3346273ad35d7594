"""Where law and solver differ, as findings: the simplest question that shows it, once."""

from collections.abc import Iterable, Iterator

from toolchain.model.law import ShardHandshake
from toolchain.plan.relations import schema_conflicts, server_conflicts
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.halves import Case, DatabaseHalf
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.questions import Question, counterparts, described


def verdict_findings(case: Case, wrong: Iterable[Disagreement], asked: str) -> Iterator[Finding]:
    """A finding for each disagreement that no simpler one explains."""
    wrong = tuple(wrong)
    keys = {item.question.key for item in wrong}
    for item in wrong:
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
    missing = _missing(case, question)
    return Finding(
        kind=Kind.WOULD_INSTALL,
        files=files,
        what=f"{words} would be installed, and the law forbids it",
        relation=missing,
        law="refused",
        solver="installs",
        asked=(asked,),
        cure=f"carry '{missing}'" if missing else "build both halves again from their specs",
    )


def _missing(case: Case, question: Question) -> str:
    """The relation that would have kept them apart, and in which half it belongs."""
    server, others = counterparts(case, question)
    for other in others:
        shard: ShardHandshake = other.says if isinstance(other, DatabaseHalf) else other
        if shard.schema not in server.says.schemas:
            low, *high = schema_conflicts(case.names, server.says.schemas)
            below = shard.schema < server.says.schemas.oldest
            return f"{server.file.name} {low if below else high[0]}"
        if server.release not in shard.servers:
            low, *high = server_conflicts(case.names, shard.servers)
            below = server.release < shard.servers.oldest
            return f"{case.names.database_package} {low if below else high[0]}"
    return ""
