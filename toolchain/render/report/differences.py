"""The pairs that differ as lines of the page: neighbours that differ alike share one."""

from dataclasses import dataclass

from toolchain.matrix.views import Difference as Kind
from toolchain.render.report.content import Content, Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A server on so many shards in a row, of which the views say the same; opens the first."""

    heading: str
    sentence: str
    anchor: str
    pairs: int


def runs(content: Content) -> tuple[Run, ...]:
    """The differences in their order, those that break a promise first."""
    place = {release: at for at, release in enumerate(content.table.views.releases)}
    grouped: list[list[Difference]] = []
    for one in content.differences:
        last = grouped[-1][-1] if grouped else None
        if last is not None and _alike(last, one) and place[one.release] == place[last.release] + 1:
            grouped[-1].append(one)
        else:
            grouped.append([one])
    return tuple(map(_run, grouped))


def _alike(one: Difference, other: Difference) -> bool:
    same = (one.server, one.kind, one.sentence) == (other.server, other.kind, other.sentence)
    # A broken promise is worth a line wherever its reason is another.
    return same and (one.kind is Kind.WIDER or one.anchor == other.anchor)


def _run(group: list[Difference]) -> Run:
    first, last = group[0], group[-1]
    shards = (
        f"a shard at {first.release}"
        if first is last
        else f"shards at {first.release} to {last.release}"
    )
    wider = " (the promise could be wider)" if first.kind is Kind.WIDER else ""
    return Run(
        heading=f"Server {first.server} on {shards}",
        sentence=f"{first.sentence}{wider}",
        anchor=first.anchor,
        pairs=len(group),
    )
