"""What a server's reading statements see on a shard, right after something was written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.matrix.measured.same import canonical
from toolchain.model.statement import Statement

Row = tuple[str | None, ...]
Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """A reading statement with one of its samples, by its number; only itself is equal to it."""

    statement: Statement
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a reader saw: columns by name, the OIDs of their types, and the rows in any order."""

    columns: Columns
    types: tuple[int, ...]
    rows: tuple[Row, ...]

    def project(self, columns: Sequence[str]) -> "Counter[Row]":
        """The rows by their values, reduced to some columns; how often each is there."""
        return Counter(same for same, _ in self._projected(columns))

    def spelled(self, columns: Sequence[str]) -> dict[Row, Row]:
        """The same rows as they were answered, by their values."""
        return dict(self._projected(columns))

    def _projected(self, columns: Sequence[str]) -> Iterator[tuple[Row, Row]]:
        places = [self.columns.index(column) for column in columns]
        kinds = [self.types[place] for place in places]
        for row in self.rows:
            values = tuple(row[place] for place in places)
            yield tuple(map(canonical, values, kinds)), values


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What each reader saw right after a writing statement."""

    after: str
    results: Mapping[Reader, Result]
