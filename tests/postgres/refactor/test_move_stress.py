"""Servers of both forms at once on a few shared rows: only 40001, and every addition counts."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import Site
from tests.postgres.refactor.two_table_support import told
from toolchain.model.refactoring import MoveColumns, Part, SplitTable
from toolchain.model.relation_name import RelationName
from toolchain.refactor.move import columns, keyed
from toolchain.refactor.phases import Phases

SECONDS = 2.0
GROUPS = 6
CUSTOMER, INVOICE, TOTAL = (
    RelationName("public", name) for name in ("customer", "invoice", "total")
)
SCHEMA = """
CREATE TABLE customer (id integer PRIMARY KEY);
CREATE TABLE invoice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer integer NOT NULL{reference},
    n integer,
    amount integer DEFAULT 0
);
CREATE INDEX invoice_customer ON invoice (customer);
"""
ROWS = f"""
INSERT INTO customer SELECT generate_series(1, {GROUPS});
INSERT INTO invoice (customer, n) SELECT each % {GROUPS} + 1, 0 FROM generate_series(1, 40) AS each;
"""
OLD = (
    "UPDATE invoice SET n = n + 1 WHERE customer = %(group)s AND id = (SELECT max(id) FROM invoice"
    " WHERE customer = %(group)s AND id <= 40) RETURNING customer",
    "UPDATE invoice SET amount = amount + 1 WHERE customer = %(group)s AND id %% 3 = 0",
    "INSERT INTO invoice (customer) VALUES (%(group)s)",
    "UPDATE invoice SET customer = %(group)s WHERE id = (SELECT max(id) FROM invoice WHERE id > 40)",
    "DELETE FROM invoice WHERE id = (SELECT max(id) FROM invoice WHERE id > 40)",
)
NEW = (
    "UPDATE {parent} SET n = n + 1 WHERE id = %(group)s RETURNING id",
    "UPDATE {parent} SET n = n + 1 WHERE id = %(group)s RETURNING id",
    "INSERT INTO invoice (customer) VALUES (%(group)s)",
)


def moved() -> tuple[str, Phases, str]:
    schema = SCHEMA.format(reference=" REFERENCES customer")
    move = MoveColumns(table=INVOICE, columns=("n",), along=("customer",), to=CUSTOMER)
    return schema, columns.phases("move", move, told(schema)), "customer"


def parted() -> tuple[str, Phases, str]:
    schema = SCHEMA.format(reference="")
    part = Part(table=TOTAL, columns=("n",), key=("customer",), rename=("id",))
    split = SplitTable(table=INVOICE, into=(part,))
    return schema, keyed.phases("part", split, told(schema)), "total"


@dataclass(slots=True, kw_only=True)
class Servers:
    """Threads that write until the end, and what they have added to each group."""

    database: Database
    end: float
    added: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self, statements: tuple[str, ...], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        with closing(psycopg2.connect(self.database.dsn)) as connection:
            while time.monotonic() < self.end:
                cursor = connection.cursor()
                statement = chance.choice(statements)
                try:
                    cursor.execute(statement, {"group": chance.randint(1, GROUPS)})
                    counted = cursor.fetchall() if cursor.description else []
                    connection.commit()
                    self.added.update(group for (group,) in counted)
                    self.done["committed"] += 1
                except psycopg2.errors.SerializationFailure:
                    connection.rollback()
                    self.done["again"] += 1
                except psycopg2.Error as problem:
                    connection.rollback()
                    self.wrong.append(str(problem))
                time.sleep(chance.random() * 0.003)


def patiently(act: Callable[[], object]) -> None:
    """As the runner does: what others are in the way of is tried again."""
    while True:
        try:
            act()
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.SerializationFailure):
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize("case", [moved, parted])
def test_servers_of_both_forms_at_once(
    database: Database, case: Callable[[], tuple[str, Phases, str]]
) -> None:
    schema, phases, parent = case()
    database.execute(schema + ROWS)
    site = Site(database=database, phases=phases)
    site.expand()
    site.begin()
    servers = Servers(database=database, end=time.monotonic() + SECONDS)
    work = [(OLD, seed) for seed in range(4)]
    threads = [threading.Thread(target=servers.run, args=each) for each in work]
    for thread in threads:
        thread.start()
    patiently(lambda: list(site.batches(5)))
    patiently(site.finish)
    statements = tuple(text.format(parent=parent) for text in NEW)
    threads += [
        threading.Thread(target=servers.run, args=(statements, seed)) for seed in range(4, 8)
    ]
    for thread in threads[4:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert servers.wrong == []
    assert servers.done["committed"] > 100
    strays = f"""
        SELECT invoice.id FROM invoice LEFT JOIN {parent} AS parent ON parent.id = customer
        WHERE parent.id IS NULL OR parent.n IS DISTINCT FROM invoice.n
    """
    assert database.rows(strays) == []
    assert dict(database.rows(f"SELECT id, n FROM {parent} WHERE n > 0")) == servers.added
