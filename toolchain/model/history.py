"""Which releases a release was built upon, and which of them its windows must reach."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol, TypeVar

from toolchain.model.version import Version


class _Dated(Protocol):
    @property
    def version(self) -> Version: ...

    @property
    def date(self) -> date: ...


class _Published(_Dated, Protocol):
    @property
    def withdrawn(self) -> str | None: ...


Dated = TypeVar("Dated", bound=_Dated)
Published = TypeVar("Published", bound=_Published)


def parents(releases: Sequence[Dated]) -> tuple[int | None, ...]:
    """For each release the place of the one that it was built upon; None for the first.

    `releases` are in version order, as everywhere here. A hotfix (4.1.3, dated after 4.2.0) is
    built upon 4.1.2, and 4.2.1 upon 4.2.0: the parent is the nearest earlier version that was not
    released later. Of two releases of one day the earlier version came first.
    """
    found: list[int | None] = []
    open_: list[int] = []
    for at, release in enumerate(releases):
        while open_ and releases[open_[-1]].date > release.date:
            open_.pop()
        found.append(open_[-1] if open_ else None)
        open_.append(at)
    return tuple(found)


def history(releases: Sequence[Dated], release: Dated) -> tuple[Dated, ...]:
    """The releases that a release was built upon, oldest first, itself at the end."""
    found = [*_ancestors(releases, release)]
    return (*reversed(found), release)


def _ancestors(releases: Sequence[Dated], release: Dated) -> Iterator[Dated]:
    """The releases that a release was built upon, the nearest first."""
    nearest = release
    for at in range(_place(releases, release) - 1, -1, -1):
        if releases[at].date <= nearest.date:
            nearest = releases[at]
            yield nearest


def _place(releases: Sequence[Dated], release: Dated) -> int:
    return bisect_left(releases, release.version, key=lambda each: each.version)


def hotfixes(releases: Sequence[_Dated]) -> frozenset[Version]:
    """The releases that came out when a later version was there already."""
    found = set()
    earliest = date.max
    for release in reversed(releases):
        if release.date > earliest:
            found.add(release.version)
        earliest = min(earliest, release.date)
    return frozenset(found)


def reach(releases: Sequence[Published], release: Published, skew: int) -> tuple[Published, ...]:
    """The earlier releases that a release's windows must hold, oldest first.

    They go back to the Nth final release of its history. Pre-releases and withdrawn releases on
    the way, and hotfixes that were out by then, may still run somewhere: they are in the reach and
    do not count.
    """
    if skew == 0:
        return ()
    place = _place(releases, release)
    begin, finals = 0, 0
    for past in _ancestors(releases, release):
        finals += past.version.stage is None and past.withdrawn is None
        if finals == skew:
            begin = _place(releases, past)
            break
    return tuple(past for past in releases[begin:place] if past.date <= release.date)


def successions(releases: Sequence[Published]) -> tuple[tuple[Published, Published], ...]:
    """Each release with one that a cluster at the earlier of the two must be able to go to.

    That is each release and its parent, or the parents before it while those are withdrawn; and
    the last hotfix of a branch with the first later version that came out after it.
    """
    above = parents(releases)
    found = []
    for at, release in enumerate(releases):
        if release.withdrawn is not None:
            continue
        parent = above[at]
        while parent is not None:
            found.append((releases[parent], release))
            if releases[parent].withdrawn is None:
                break
            parent = above[parent]
    ends = hotfixes(releases) - {earlier.version for earlier, _ in found}
    for release in releases:
        if release.version not in ends:
            continue
        later = (
            other
            for other in releases
            if other.version > release.version
            and other.date >= release.date
            and other.withdrawn is None
        )
        found.extend((release, other) for other in list(later)[:1])
    return tuple(found)
