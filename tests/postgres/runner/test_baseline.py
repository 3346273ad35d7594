"""Baseline adopts a database that was made without the tool, and runs nothing."""

from typing import TYPE_CHECKING

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, Package, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

SAID = "SELECT schema, oldest_server, ready_release, closed_release FROM interlock.handshake"


def test_adopt_and_go_on(package: Package, database: "Database") -> None:
    database.execute("CREATE TABLE host (id bigint PRIMARY KEY, os text, os_name text)")
    shown = package.done("baseline", "1.1.0", "--dry-run")
    assert "north: adopt os.migrate (1.1.0)" in shown.out.splitlines()
    assert database.rows("SELECT to_regnamespace('interlock')") == [(None,)]
    package.done("baseline", "1.1.0")
    assert database.rows(SAID) == [(2, "1.0.0", "1.1.0", None)]
    assert package.done("verify").out.startswith("north: in order")
    package.done("apply", "--phase", "contract")
    assert database.rows(SAID) == [(2, "1.1.0", "1.2.0", "1.2.0")]
    refused = package.run("undo", "--to", "1.0.0")
    assert refused.code == 1


def test_after_a_contract(package: Package, database: "Database") -> None:
    database.execute("CREATE TABLE host (id bigint PRIMARY KEY, os_name text)")
    package.done("baseline", "1.2.0", "--phase", "contract")
    assert database.rows(SAID) == [(2, "1.1.0", "1.2.0", "1.2.0")]
    assert package.done("apply", "--phase", "contract", "--json").shard["ran"] == []


def test_adopted_steps_have_no_undo(make_package: MakePackage, database: "Database") -> None:
    database.execute("CREATE TABLE host (id bigint PRIMARY KEY, os text, os_name text)")
    package = make_package(*CHAIN[:2])
    package.done("baseline", "1.1.0")
    refused = package.run("undo", "--to", "1.0.0")
    assert refused.code == 1
    assert "was adopted by baseline" in refused.err


def test_what_is_not_adopted(package: Package, database: "Database") -> None:
    assert package.run("baseline", "1.1.0").sentence == (
        "north: the database is empty; bring it up with 'apply'"
    )
    database.execute("CREATE TABLE other (id int)")
    assert package.run("baseline", "1.1.0").sentence == (
        "north: the table host, which os.migrate (1.1.0) walks, is not there;"
        " check that the database stands at the release that was named"
    )
    refused = package.run("apply")
    assert refused.code == 1
    assert refused.sentence == (
        "north: the database holds 1 table, but no ledger of fleetdesk; adopt an existing"
        " fleetdesk with 'baseline RELEASE', or start a new one beside those tables with"
        " 'apply --create'"
    )
    package.done("apply", "--create")
    refused = package.run("baseline", "1.1.0")
    assert refused.sentence == "north: there is a ledger of fleetdesk already; see 'status'"


def test_two_products_in_one_database(make_package: MakePackage, database: "Database") -> None:
    one = make_package()
    one.done("apply")
    other = make_package(
        release("7.0.0", 70, step("base.expand", "CREATE TABLE other (id int);")),
        product="otherdesk",
    )
    other.done("apply", "--create")
    assert database.rows("SELECT product, schema FROM interlock.handshake ORDER BY 1") == [
        ("fleetdesk", 2),
        ("otherdesk", 70),
    ]
    one.done("apply", "--phase", "contract")
    assert other.done("status", "--json").shard["schema"] == 70
