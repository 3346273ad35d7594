"""The widest true windows, from what shards hold and what servers use.

A server runs wherever all forms that it needs are there. `oldest_schema` answers for the new forms
and `oldest_server` for the old ones, so each window begins right after the last counterpart that
lacks something:

- A server's schemas begin above the highest schema whose shard lacks the new form of a change of
  which the server uses that form alone.
- A database's servers begin above the latest server that uses the old form alone of a change that
  the database has contracted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Generic

from toolchain.matrix.chain import FormChain
from toolchain.model.change import Form
from toolchain.model.version import Version
from toolchain.model.window import Point, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle(Generic[Point]):
    """Why a window cannot reach further back: the last point that does not fit.

    `change` is what it lacks or has lost, `release` the place of that counterpart in the chain.
    """

    point: Point
    change: str
    release: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(Generic[Point]):
    """Where the widest true window begins; None when no counterpart of the chain fits."""

    oldest: Point | None
    obstacle: Obstacle[Point] | None


@dataclass(frozen=True)
class Derivation:
    """The widest true window of each server and of each database of a chain.

    A window is derived from what was known when its release came out, so that a later hotfix
    changes no package that is published. Whether it is still true is another question, which the
    obstacles answer: they look at the whole chain unless they are told otherwise.
    """

    chain: FormChain

    def schemas(self, at: int) -> Bound[int]:
        """Where the schemas begin on which a link's server runs."""
        day = self.chain.links[at].date
        return _bound(self.schema_obstacle(at, until=day), self._schemas, day)

    def servers(self, at: int) -> Bound[Version]:
        """Where the servers begin that a link's database bears."""
        day = self.chain.links[at].date
        return _bound(self.server_obstacle(at, until=day), self._versions, day)

    def schema_obstacle(
        self, at: int, below: int | None = None, until: date | None = None
    ) -> Obstacle[int] | None:
        """The highest schema (under a ceiling) whose shard lacks what a link's server needs."""
        forms = self.chain.forms[at]
        needed = (change for change, form in forms.items() if form is Form.NEW)
        return self._last(needed, self._without, below, until)

    def lacking(self, at: int, schemas: Window[int]) -> tuple[str, ...]:
        """The changes that a link's server needs and a shard of these schemas does not have."""
        return tuple(
            change
            for change, form in sorted(self.chain.forms[at].items())
            if form is Form.NEW and any(point in schemas for point, _ in self._without[change])
        )

    def server_obstacle(
        self, at: int, below: Version | None = None, until: date | None = None
    ) -> Obstacle[Version] | None:
        """The latest server (under a ceiling) that needs what a link's database has removed."""
        return self._last(self.chain.held[at].contracted, self._users, below, until)

    def _last(
        self,
        changes: Iterable[str],
        unfit: Mapping[str, Sequence[tuple[Point, int]]],
        below: Point | None,
        until: date | None,
    ) -> Obstacle[Point] | None:
        found: Obstacle[Point] | None = None
        for change in sorted(changes):
            points = unfit[change]
            end = len(points) if below is None else bisect_left(points, (below, -1))
            while end and until is not None and self.chain.links[points[end - 1][1]].date > until:
                end -= 1
            if end == 0:
                continue
            point, release = points[end - 1]
            if found is None or found.point < point:
                found = Obstacle(point=point, change=change, release=release)
        return found

    @cached_property
    def _schemas(self) -> Sequence[tuple[int, date]]:
        """Every schema version with the day of the first release that has it, ascending."""
        born: dict[int, date] = {}
        for link in self.chain.links:
            born[link.schema] = min(link.date, born.get(link.schema, date.max))
        return sorted(born.items())

    @cached_property
    def _versions(self) -> Sequence[tuple[Version, date]]:
        return [(link.version, link.date) for link in self.chain.links]

    @cached_property
    def _without(self) -> Mapping[str, Sequence[tuple[int, int]]]:
        """By change: the schemas whose shards lack its new form, ascending, and whose they are."""
        pairs = list(zip(self.chain.links, self.chain.held, strict=True))
        return {
            change: sorted(
                (link.schema, at)
                for at, (link, held) in enumerate(pairs)
                if change not in held.ready
            )
            for change in self.chain.changes
        }

    @cached_property
    def _users(self) -> Mapping[str, Sequence[tuple[Version, int]]]:
        """By contracted change: the servers that use its old form alone, ascending."""
        gone = {change for held in self.chain.held for change in held.contracted}
        return {
            change: [
                (link.version, at)
                for at, link in enumerate(self.chain.links)
                if self.chain.form(at, change) is Form.OLD
            ]
            for change in gone
        }


def _bound(
    obstacle: Obstacle[Point] | None, points: Sequence[tuple[Point, date]], day: date
) -> Bound[Point]:
    """The first point after the obstacle that was there on a day; points are in order."""
    after = 0 if obstacle is None else bisect_right(points, obstacle.point, key=lambda one: one[0])
    known = (point for point, born in islice(points, after, None) if born <= day)
    return Bound(oldest=next(known, None), obstacle=obstacle)
