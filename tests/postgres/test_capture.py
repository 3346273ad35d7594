"""Statements taken from a real pg_stat_statements, and rehearsed as they are."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
import pytest

from tests.conftest import Interlock
from tests.postgres.rehearsal_products import BASE, Spec, write_chain
from toolchain.build.product import open_product
from toolchain.edge.postgres.binaries import find_binaries
from toolchain.edge.postgres.cluster import scratch_cluster

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def staging() -> Iterator[dict[str, str]]:
    """A cluster that counts statements, with a database `app` that an application has used."""
    counting = {"shared_preload_libraries": "pg_stat_statements"}
    with scratch_cluster(find_binaries(), counting) as parameters:
        for statement in (
            "CREATE ROLE app LOGIN", "CREATE ROLE poor LOGIN", "CREATE DATABASE app OWNER app",
            "CREATE DATABASE bare",
        ):  # fmt: skip
            ask(parameters, statement)
        own = {**parameters, "dbname": "app"}
        ask(own, "CREATE EXTENSION pg_stat_statements", BASE, "GRANT ALL ON host TO app")
        ask(own, "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM host'")
        use({**own, "user": "app"})
        yield own


def ask(parameters: dict[str, str], *statements: str) -> None:
    with closing(psycopg2.connect(**parameters)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


def use(parameters: dict[str, str]) -> None:
    """What an application does: with parameters of the protocol, and with constants."""
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        for number in range(3):
            connection.execute(
                "INSERT INTO host (id, name) VALUES (%s, %s)", (number, f"web{number}")
            )
            connection.execute(f"SELECT os FROM host WHERE id = {number}")
        connection.execute("SELECT name FROM host WHERE now() > now() - interval '1 day'")
        connection.execute("SELECT f()")
        connection.execute("CREATE TEMPORARY TABLE scratch (a int)")
        connection.execute("SELECT relname FROM pg_class WHERE oid = 1259")
        connection.execute("SELECT left(name, 1), count(*) FROM host GROUP BY left(name, 1)")
        with connection.transaction():
            connection.execute("DELETE FROM host WHERE id = ANY (%s)", ([1, 2],))


def dsn_of(parameters: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in parameters.items())


def capture(interlock: Interlock, staging: dict[str, str], *more: str) -> Any:
    run = interlock("capture", "--dsn", dsn_of(staging), "--json", *more)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_the_statements_of_the_application(
    interlock: Interlock, staging: dict[str, str], tmp_path: Path
) -> None:
    answer = capture(interlock, staging, "--user", "app")
    assert answer["files"] == answer["written"] == ["statements/host.sql", "statements/other.sql"]
    text = (tmp_path / "statements/host.sql").read_text()
    for statement in (
        "INSERT INTO host (id, name) VALUES ($1, $2);",
        "SELECT os FROM host WHERE id = $1;",
        "SELECT name FROM host WHERE now() > now() - $1::interval;",
        "DELETE FROM host WHERE id = ANY ($1);",
    ):
        assert text.count(statement) == 1
    assert "SELECT f()" in (tmp_path / "statements/other.sql").read_text()
    assert "pg_class" not in text
    assert "scratch" not in text
    # PostgreSQL gives each constant a number of its own, so the two no longer agree.
    (left_out,) = answer["left_out"].values()
    assert "must appear in the GROUP BY clause" in left_out


def test_what_is_left_out_is_shown(
    interlock: Interlock, staging: dict[str, str], tmp_path: Path
) -> None:
    """Its name is a hash, and somebody is to write it by hand."""
    run = interlock("capture", "--dsn", dsn_of(staging), "--user", "app")
    assert "\n  SELECT left(name, $1), count(*) FROM host GROUP BY" in run.stderr


def test_a_second_capture_changes_nothing_and_force_replaces(
    interlock: Interlock, staging: dict[str, str], tmp_path: Path
) -> None:
    capture(interlock, staging, "--user", "app")
    path = tmp_path / "statements/host.sql"
    first = path.read_bytes()
    assert capture(interlock, staging, "--user", "app")["written"] == []
    own = b"-- name: mine\nSELECT max(id) FROM host;\n"
    path.write_bytes(own)
    capture(interlock, staging, "--user", "app")
    assert path.read_bytes().startswith(own)
    assert path.read_bytes() != own
    capture(interlock, staging, "--user", "app", "--force")
    assert path.read_bytes() == first


def test_what_is_captured_can_be_rehearsed(
    interlock: Interlock, staging: dict[str, str], tmp_path: Path
) -> None:
    specs = {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements="SELECT 1"),
        "1.1.0": Spec(
            schema=2, steps={"expand:os": "ALTER TABLE public.host ADD COLUMN os_name text;"}
        ),
        "1.2.0": Spec(schema=3, steps={"contract:os": "ALTER TABLE public.host DROP COLUMN os;"}),
    }
    product = write_chain(tmp_path / "p", specs)
    (product / "1.0.0.sql").unlink()
    capture(interlock, staging, "--user", "app", "--output", str(product / "1.0.0.sql"))
    (product / "1.0.0.sql/other.sql").unlink()  # it calls a function of the staging database
    assert len(open_product(product).release("1.0.0").server.statements) == 4
    server = {**staging, "dbname": "postgres"}
    run = interlock("rehearse", product, "--dsn", dsn_of(server), "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    pairs = [pair for pair in json.loads(run.stdout)["pairs"] if pair["server"] == "1.0.0"]
    assert [pair["verdict"] for pair in pairs] == ["fits", "fits", "fits", "no", "no"]


@pytest.mark.parametrize(
    ("change", "more", "code", "said"),
    [
        ({}, ("--database", "bare"), 4, "the database 'bare' has no extension pg_stat_statements"),
        ({"user": "poor"}, (), 4, "GRANT pg_read_all_stats TO poor"),
        ({}, ("--user", "nobody-here"), 4, "there is no role 'nobody-here'"),
        ({"host": "/nowhere"}, (), 4, "PostgreSQL cannot be reached"),
        ({"password": "hunter2"}, (), 2, "--dsn holds a password"),
        ({}, ("--user", "poor"), 1, "0 taken"),
    ],
)
def test_what_stands_in_the_way_is_told(
    interlock: Interlock,
    staging: dict[str, str],
    tmp_path: Path,
    change: dict[str, str],
    more: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    run = interlock("capture", "--dsn", dsn_of({**staging, **change}), *more)
    assert run.returncode == code
    assert said in run.stderr
    assert not (tmp_path / "statements").exists()


def test_a_server_that_counts_nothing(interlock: Interlock, cluster: Any, database: Any) -> None:
    database.execute("CREATE EXTENSION pg_stat_statements")
    run = interlock("capture", "--dsn", database.dsn)
    assert run.returncode == 4
    assert "add pg_stat_statements to shared_preload_libraries" in run.stderr


def test_a_place_that_takes_no_files(
    interlock: Interlock, staging: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "statements/host.sql").mkdir(parents=True)
    run = interlock("capture", "--dsn", dsn_of(staging), "--user", "app")
    assert run.returncode == 5
    assert "statements/host.sql" in run.stderr
