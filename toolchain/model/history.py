"""Which releases a release knows of: those before it in version and in time."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar

from toolchain.model.version import Version


class _Dated(Protocol):
    @property
    def version(self) -> Version: ...

    @property
    def date(self) -> date: ...


Dated = TypeVar("Dated", bound=_Dated)


def history(releases: Sequence[Dated], release: Dated) -> tuple[Dated, ...]:
    """The releases that a release was built upon, oldest first, itself at the end.

    `releases` are in version order. A hotfix (4.1.3, dated after 4.2.0) is not in the history of
    4.2.0, nor of 4.2.1, which goes on from 4.2.0: a release is passed over when a later version
    on the way down is dated before it. Releases of one day stand in version order.
    """
    found = [release]
    for past in reversed(releases):
        if past.version < found[-1].version and past.date <= found[-1].date:
            found.append(past)
    return tuple(reversed(found))
