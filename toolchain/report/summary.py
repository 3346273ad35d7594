"""The news at the top of a report: a few words and a sentence each, for who reads nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence

from toolchain.matrix.views import Difference, View, Views, Word
from toolchain.model.history import hotfixes
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.rollout.routes import Route
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.render.report.content import ChangeRow, Headline, Tone
from toolchain.report.sections import newest_final

_MOST_NAMES = 6


def spell(names: Sequence[object]) -> str:
    """`4.0.0, 4.1.0 and 4.2.0`; of many the first few, and how many more there are."""
    words = [str(name) for name in names]
    if len(words) > _MOST_NAMES:
        more = len(words) - _MOST_NAMES + 1
        return f"{', '.join(words[: _MOST_NAMES - 1])} and {more} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def verdict(table: Views) -> Headline:
    """Whether the views agree, and what it means where they don't."""
    count = len(table.releases) ** 2
    found = Counter(difference for _, _, difference in table.differences)
    broken, wider = found[Difference.BROKEN], found[Difference.WIDER]
    if broken:
        return Headline(
            title="Do not release",
            value=f"{broken} of {count} pairs break a promise",
            sentence=f"{_first_broken(table)} {_compared(table)}",
            anchor="differences",
            tone=Tone.BAD,
        )
    if wider:
        return Headline(
            title="Every promise holds",
            value=f"{wider} of {count} pairs could be promised too",
            sentence=f"Windows are narrower than need be, which is safe. {_compared(table)}",
            anchor="differences",
            tone=Tone.GOOD,
        )
    return Headline(
        title="Every promise holds",
        value=f"{count} pairs agree",
        sentence=_compared(table),
        anchor="matrix",
        tone=Tone.GOOD,
    )


def _compared(table: Views) -> str:
    """Which views were there, and which were not: agreement of fewer says less."""
    there = spell([view.value for view in View if view in table.words])
    missing = spell([view.value for view in View if view not in table.words])
    return f"Compared: {there}." + (f" Not in this report: {missing}." if missing else "")


def _first_broken(table: Views) -> str:
    row, column = next(
        (row, column) for row, column, kind in table.differences if kind is Difference.BROKEN
    )
    said = table.said(row, column)
    words = ", ".join(
        f"{view.value} {word.value}"
        for view, word in said.items()
        if view is View.DECLARED or word not in (said[View.DECLARED], Word.UNKNOWN)
    )
    return f"Server {table.releases[row]} on a shard at {table.releases[column]}: {words}."


def headlines(
    product: Product, table: Views, routes: Sequence[Route], changes: Sequence[ChangeRow]
) -> Iterator[Headline]:
    """The newest release, the ways to it, what may stay beside it, and the changes."""
    newest = newest_final(product)
    if newest is not None:
        release = product.release(newest)
        yield Headline(
            title="Newest release",
            value=str(newest),
            sentence=f"of {release.date}, with schema {release.database.schema}",
            anchor=f"release-{newest}",
        )
        yield from _ways(newest, routes)
        yield _beside(product, table, newest)
    yield _changes(changes)
    withdrawn = [release.version for release in product.releases if release.withdrawn]
    if withdrawn:
        yield Headline(
            title="Withdrawn",
            value=spell(withdrawn),
            sentence="nobody should install it any more",
            anchor=f"release-{withdrawn[-1]}",
            tone=Tone.CAUTION,
        )
    late = sorted(hotfixes(product.releases))
    if late:
        yield Headline(
            title="Hotfixes",
            value=spell(late),
            sentence="came out when a later version was there already",
            anchor="support",
        )


def _ways(newest: Version, routes: Sequence[Route]) -> Iterator[Headline]:
    if not routes:
        return
    stops = {
        route.start: {wave.release for wave in route.answer.waves} - {newest}
        for route in routes
        if isinstance(route.answer, Plan)
    }
    lost = [route.start for route in routes if route.start not in stops]
    straight = [start for start, between in stops.items() if not between]
    most = max((len(between) for between in stops.values()), default=0)
    ways = f"without a stop: {spell(straight)}" if straight else "no release goes there straight"
    longest = "" if not most else f"; the longest way has {most} stop{'s' if most > 1 else ''}"
    blocked = f"; no legal way from {spell(lost)}" if lost else ""
    yield Headline(
        title=f"Ways to {newest}",
        value=f"from {len(stops)} of {len(routes)} releases",
        sentence=f"{ways}{longest}{blocked}",
        anchor="rollouts",
        tone=Tone.CAUTION if lost else Tone.GOOD,
    )


def _beside(product: Product, table: Views, newest: Version) -> Headline:
    column = table.releases.index(newest)
    older = [release.version for release in product.releases if release.version < newest]
    words = table.words[View.DECLARED]
    fits = [version for row, version in enumerate(older) if words[row][column] is Word.FITS]
    return Headline(
        title=f"On shards at {newest}",
        value=f"{len(fits)} of {len(older)} older servers run" if older else "its own servers run",
        sentence=f"{spell(fits)}; all others have to be upgraded first"
        if fits
        else "every older server has to be upgraded first"
        if older
        else "there is no older release",
        anchor="matrix",
    )


def _changes(changes: Sequence[ChangeRow]) -> Headline:
    if not changes:
        return Headline(
            title="Changes",
            value="none",
            sentence="no release changes the schema",
            anchor="changes",
        )
    done = [change for change in changes if change.tone is Tone.GOOD]
    waiting = [change.name for change in changes if change.tone is Tone.CAUTION]
    ready = [change.name for change in changes if change.tone is Tone.PLAIN]
    parts = [f"waiting: {spell(waiting)}"] if waiting else []
    parts += [f"the next release may contract {spell(ready)}"] if ready else []
    return Headline(
        title="Schema changes",
        value=f"{len(done)} of {len(changes)} done",
        sentence="; ".join(parts) or "no old form is left",
        anchor="changes",
        tone=Tone.CAUTION if waiting else Tone.GOOD,
    )
