"""What is left in the end: updates that were lost, rows that stray, counted in the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cluster import Database
from benchmarks.sync.forms import HOT

KEPT = "bench_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A relation that holds the moved columns; the last of them counts."""

    relation: str
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts; none of them should be anything but 0."""

    lost_updates: int
    stray_rows: int


def lost_updates(database: Database, sides: Sequence[Side], committed: int) -> int:
    """Committed increments of hot hosts that one of the sides does not know of."""
    sums = [
        database.row(
            f"SELECT sum({side.columns[-1]}) FROM {side.relation} WHERE {side.key} <= {HOT}"  # noqa: S608
        )[0]
        for side in sides
    ]
    # An update that was made twice is as wrong as one that is missing.
    return max(abs(committed - int(each)) for each in sums)


def stray_rows(database: Database, old: Side, new: Side) -> int:
    """Rows of one side that the other has not, or has otherwise.

    A wide row without any value needs no part.
    """
    values = [", ".join(f"{name}.{each}" for each in side.columns) for name, side in
              (("old", old), ("new", new))]  # fmt: skip
    (count,) = database.row(
        f"SELECT count(*) FROM {old.relation} AS old"  # noqa: S608
        f" FULL JOIN {new.relation} AS new ON new.{new.key} = old.{old.key}"
        f" WHERE old.{old.key} IS NULL OR ({values[0]}) IS DISTINCT FROM ({values[1]})"
    )
    return int(count)


def keep(database: Database, side: Side) -> Side:
    """Write down what a form shows now, to be compared with what comes after it."""
    columns = ", ".join((side.key, *side.columns))
    database.execute(
        f"DROP TABLE IF EXISTS {KEPT}",
        f"CREATE TABLE {KEPT} AS SELECT {columns} FROM {side.relation}",  # noqa: S608
    )
    return Side(relation=KEPT, key=side.key, columns=side.columns)
