"""Which releases a release was built upon, and which of them its windows must reach."""

from collections.abc import Sequence
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
    found = [release]
    for past in reversed(releases):
        if past.version < found[-1].version and past.date <= found[-1].date:
            found.append(past)
    return tuple(reversed(found))


def is_hotfix(releases: Sequence[Dated], release: Dated) -> bool:
    """Whether a later version was there already when this release came out."""
    return any(other.version > release.version and other.date < release.date for other in releases)


def reach(releases: Sequence[Published], release: Published, skew: int) -> tuple[Published, ...]:
    """The earlier releases that a release's windows must hold, oldest first.

    They go back to the Nth final release of its history. Pre-releases and withdrawn releases on
    the way, and hotfixes that were out by then, may still run somewhere: they are in the reach and
    do not count.
    """
    if skew == 0:
        return ()
    finals = [
        past.version
        for past in history(releases, release)[:-1]
        if past.version.stage is None and past.withdrawn is None
    ]
    oldest = finals[-skew] if len(finals) >= skew else releases[0].version
    return tuple(
        past
        for past in releases
        if oldest <= past.version < release.version and past.date <= release.date
    )


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
    continued = {earlier.version for earlier, _ in found}
    for release in releases:
        if release.version in continued or not is_hotfix(releases, release):
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
