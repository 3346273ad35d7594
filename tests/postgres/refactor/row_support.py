"""Refactorings that keep both forms in one row, on a table that SQL text makes."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from typing import Any

import psycopg2

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import Site, shape
from toolchain.model.schema import Schema
from toolchain.refactor.phases import Phases
from toolchain.spec.schema.replay import Replay

CHANGE = "the-change"


def schema_of(sql: str) -> Schema:
    """The schema that SQL text makes."""
    replay = Replay()
    replay.apply(sql)
    return replay.schema


def site(
    database: Database,
    sql: str,
    generate: Callable[[str, Any, Schema], Phases],
    refactoring: object,
) -> Site:
    """A database with the tables of `sql`, and the phases of a refactoring of them."""
    database.execute(sql)
    return Site(database=database, phases=generate(CHANGE, refactoring, schema_of(sql)))


def by_hand(make_database: Callable[..., Database], *statements: str) -> list[tuple[Any, ...]]:
    """The shape of a database in which a developer has written these statements."""
    database = make_database()
    for each in statements:
        database.execute(each)
    return shape(database)


def copy_in(database: Database, into: str, lines: Sequence[str]) -> None:
    """COPY lines of tab-separated values FROM STDIN."""
    with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {into} FROM STDIN", StringIO("".join(f"{line}\n" for line in lines))
        )
        connection.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What the old form was before a change, to compare with what its undo leaves."""

    site: Site
    rows: str
    before: tuple[Any, ...]

    @classmethod
    def of(cls, site: Site, rows: str) -> "Undone":
        """Remember the schema and the old form's rows."""
        return cls(site=site, rows=rows, before=(shape(site.database), site.database.rows(rows)))

    def check(self) -> None:
        """Undo the expand after it, and after the whole migration."""
        for migrated in (False, True):
            self.site.expand()
            if migrated:
                self.site.migrate()
            self.site.undo_expand()
            assert (shape(self.site.database), self.site.database.rows(self.rows)) == self.before
