"""Rows that policies hide from the runner's role are never passed by."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

FILL = "UPDATE job SET os = 'seen'"
BATCH = {"table": "job", "key": "id", "statements": [f"{FILL} WHERE id BETWEEN $1 AND $2"]}


@pytest.fixture
def bound(database: "Database") -> "Iterator[Database]":
    """A database in which the policies of a table bind its owner, who runs the steps."""
    database.execute("CREATE ROLE bound LOGIN; GRANT ALL ON SCHEMA public TO bound")
    database.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO bound')
    database.execute(
        "SET ROLE bound; CREATE TABLE job (id bigint PRIMARY KEY, os text);"
        "INSERT INTO job SELECT each FROM generate_series(1, 9) AS each;"
        "ALTER TABLE job ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY few ON job USING (id < 5)"
    )
    yield database
    database.execute("DROP OWNED BY bound CASCADE; DROP ROLE bound")


@pytest.mark.parametrize(
    "change",
    [step("fill.migrate", "", batch=BATCH), step("fill.expand", FILL)],
    ids=["batches", "one transaction"],
)
def test_rows_that_a_policy_hides_are_not_passed_by(
    make_package: MakePackage, bound: "Database", change: dict[str, object]
) -> None:
    """A walk that did not see them would end as if all were moved, and a contract drop them."""
    package = make_package(release("1.0.0", 1, change), shards={"north": bound.dsn_as("bound")})
    failed = package.run("apply", "--create")
    assert failed.code != 0
    assert 'row-level security policy for table "job"' in failed.err
    assert bound.rows("SELECT count(*) FROM job WHERE os IS NOT NULL") == [(0,)]
    bound.execute("ALTER TABLE job NO FORCE ROW LEVEL SECURITY")
    package.done("apply")
    assert bound.rows("SELECT count(*) FROM job WHERE os = 'seen'") == [(9,)]
