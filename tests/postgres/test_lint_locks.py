"""What the lint says of locks, scans and rewrites, held against PostgreSQL itself.

Each statement runs in a transaction that is rolled back; pg_locks has the strongest lock that it
took, the file node tells of a rewrite, and the statistics of the transaction tell of a scan.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.lint_statements import ALONE, DDL, ELSEWHERE, KEYS, NEWER, ROWS, ROWS_TOO, SETUP
from tests.postgres.conftest import Cluster, Database
from toolchain.spec.lint.volatile import STEADY

STRENGTH = (
    "none", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
    "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip
CODES = {words.title().replace(" ", "") + "Lock": words for words in STRENGTH[1:]}


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Database]:
    database = cluster.create_database()
    database.execute(SETUP + ROWS)
    yield database
    cluster.drop_database(database.name)


def _strongest(cursor: "psycopg2.extensions.cursor", oid: int, process: int) -> str:
    cursor.execute("SELECT mode FROM pg_locks WHERE relation = %s AND pid = %s", (oid, process))
    modes = [CODES[mode] for (mode,) in cursor.fetchall() if mode in CODES]
    return max(modes, key=STRENGTH.index, default="none")


def _measured(database: Database, statement: str, relation: str) -> tuple[str, str]:
    """The strongest lock on a relation, and whether its rows were read or written anew."""
    with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s::regclass::oid, pg_backend_pid()", (relation,))
        oid, process = cursor.fetchone() or (0, 0)
        connection.rollback()
        facts = "SELECT pg_relation_filenode(%s), pg_stat_get_xact_numscans(%s)"
        cursor.execute(facts, (oid, oid))
        before = cursor.fetchone()
        cursor.execute(statement)
        mode = _strongest(cursor, oid, process)
        cursor.execute(facts, (oid, oid))
        after = cursor.fetchone()
        assert before is not None
        assert after is not None
        work = "rewrite" if after[0] != before[0] else "scan" if after[1] != before[1] else "brief"
        return mode, work


@pytest.mark.parametrize("statement", DDL)
def test_definitions(shop: Database, statement: str) -> None:
    assert _measured(shop, statement, "host") == DDL[statement]


@pytest.mark.parametrize("statement", KEYS)
def test_keys(shop: Database, statement: str) -> None:
    assert _measured(shop, statement, "loose") == KEYS[statement]


@pytest.mark.parametrize("statement", NEWER)
def test_newer_definitions(shop: Database, statement: str) -> None:
    ((version,),) = shop.rows("SELECT current_setting('server_version_num')::int")
    if version < 180000:
        with pytest.raises((psycopg2.errors.SyntaxError, psycopg2.errors.FeatureNotSupported)):
            _measured(shop, statement, "host")
    else:
        assert _measured(shop, statement, "host") == NEWER[statement]


@pytest.mark.parametrize("subcommand", ["ADD CHECK (value > 0)", "SET NOT NULL"])
def test_domains(shop: Database, subcommand: str) -> None:
    """The lint does not know which tables use a domain, but what happens to them."""
    assert _measured(shop, f"ALTER DOMAIN positive {subcommand}", "ranked") == ("SHARE", "scan")
    quiet = "ALTER DOMAIN positive ADD CHECK (value > 0) NOT VALID"
    assert _measured(shop, quiet, "ranked") == ("none", "brief")


@pytest.mark.parametrize("statement", ROWS_TOO)
def test_rows(shop: Database, statement: str) -> None:
    assert _measured(shop, statement, "host")[0] == ROWS_TOO[statement]


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_other_relations(shop: Database, statement: str) -> None:
    relation, mode = ELSEWHERE[statement]
    assert _measured(shop, statement, relation)[0] == mode


@pytest.mark.parametrize("statement", ALONE)
def test_without_a_transaction(shop: Database, statement: str) -> None:
    """It waits behind a lock that its own conflicts with, where pg_locks shows what it asks for."""
    with (
        closing(psycopg2.connect(shop.dsn)) as holder,
        closing(psycopg2.connect(shop.dsn)) as waiter,
        closing(psycopg2.connect(shop.dsn)) as watcher,
    ):
        waiter.autocommit = watcher.autocommit = True
        held, seen = holder.cursor(), watcher.cursor()
        held.execute("LOCK TABLE host IN SHARE UPDATE EXCLUSIVE MODE")
        seen.execute("SELECT 'host'::regclass::oid")
        ((oid,),) = seen.fetchall()

        def run() -> None:
            with contextlib.suppress(psycopg2.errors.QueryCanceled):
                waiter.cursor().execute(statement)

        thread = threading.Thread(target=run)
        thread.start()
        asked, deadline = "none", time.monotonic() + 20
        while asked in ("none", "ACCESS SHARE") and time.monotonic() < deadline:
            asked = _strongest(seen, oid, waiter.info.backend_pid)
        waiter.cancel()
        thread.join()
        holder.rollback()
        assert asked == ALONE[statement]


def test_steady_functions(shop: Database) -> None:
    """No function that the lint takes for steady is volatile, and none is made up."""
    known = dict(
        shop.rows(
            "SELECT proname, bool_or(provolatile = 'v') FROM pg_proc"
            " WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY proname"
        )
    )
    spelled = {"trim": "btrim"}  # what the grammar makes of it
    assert {name: known.get(spelled.get(name, name)) for name in STEADY} == dict.fromkeys(
        STEADY, False
    )
