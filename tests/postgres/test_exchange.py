"""What one server writes, another of the other form reads: the rehearsal finds what gets lost."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.postgres.rehearsal_products import (
    BASE,
    INTO_NEW,
    INTO_OLD,
    SPLIT_TABLE,
    SPLIT_VIEW,
    Spec,
    invoiced,
    priced,
    renamed,
    split,
    write_chain,
)

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
pytestmark = pytest.mark.postgres


@pytest.fixture
def dsn(cluster: "Cluster") -> str:
    return cluster.database("postgres").dsn


def rehearse(interlock: Interlock, product: Path, dsn: str) -> dict[str, Any]:
    run = interlock("rehearse", product, "--dsn", dsn, "--json")
    assert run.stdout, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def missed(answer: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Who misses what of whom; nothing else may be wrong."""
    assert {each["by"] for each in answer["false_promises"]} <= {"exchange"}
    return {
        (each["server"], each["statement"], each["writer"]) for each in answer["false_promises"]
    }


def test_a_product_that_keeps_both_forms_equal_is_quiet(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", renamed()), dsn)
    assert answer["agrees"]
    assert {pair["verdict"] for pair in answer["pairs"]} == {"fits", "no"}


@pytest.mark.parametrize(
    ("sync", "wanted"),
    [
        ("", {("1.1.0", "get-host", "1.0.0"), ("1.0.0", "get-host", "1.1.0")}),
        (INTO_NEW, {("1.0.0", "get-host", "1.1.0")}),
        (INTO_OLD, {("1.1.0", "get-host", "1.0.0")}),
    ],
    ids=["no-trigger", "old-to-new-alone", "new-to-old-alone"],
)
def test_a_synchronisation_that_loses_data_is_found(
    interlock: Interlock,
    tmp_path: Path,
    dsn: str,
    sync: str,
    wanted: set[tuple[str, str, str]],
) -> None:
    """The server of 1.2.0 is no peer of 1.0.0's, so those two do not meet."""
    answer = rehearse(interlock, write_chain(tmp_path / "p", renamed(sync=sync)), dsn)
    assert missed(answer) == wanted


def test_the_difference_is_told_with_reader_writer_and_rows(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    product = write_chain(tmp_path / "p", renamed(sync=INTO_OLD))
    run = interlock("rehearse", product, "--dsn", dsn)
    assert run.returncode == 1
    assert (
        "error: the server 1.1.0 does not see what 1.0.0 writes on a shard at 1.1.0" in run.stdout
    )
    assert (
        f"get-host at {product}/1.1.0.sql:6:1"
        ' sees {"id": "1", "name": "web1", "os_name": null} after put-host of 1.0.0;'
        " after put-host of 1.1.0 itself it sees"
        ' {"id": "1", "name": "web1", "os_name": "debian"}'
    ) in run.stdout
    assert "SELECT id, name, os_name FROM host" in run.stdout
    page = interlock("rehearse", product, "--dsn", dsn, "--format", "html").stdout
    assert "after put-host of 1.0.0" in page
    (told, *_) = rehearse(interlock, product, dsn)["false_promises"]
    assert (told["after"], json.loads(told["found"])["os_name"]) == ("put-host", None)
    assert json.loads(told["expected"])["os_name"] == "debian"


def test_only_servers_that_may_meet_are_tried(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    """After the gate of 1.2.0 nobody meets the server of 1.0.0 any more."""
    answer = rehearse(interlock, write_chain(tmp_path / "p", renamed(sync="")), dsn)
    states = {at for each in answer["false_promises"] for at in each["states"]}
    assert states
    for at in states:
        assert answer["states"][at]["servers"]["oldest"] == "1.0.0"
        assert answer["states"][at]["schema"] >= 2


def test_a_split_over_a_view_is_quiet_though_one_write_became_two(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", split(SPLIT_VIEW)), dsn)
    assert answer["agrees"]


def test_a_split_without_synchronisation_is_found(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", split(SPLIT_TABLE)), dsn)
    assert missed(answer) == {("1.1.0", "get-host", "1.0.0"), ("1.0.0", "get-host", "1.1.0")}
    told = {each["server"]: each for each in answer["false_promises"]}
    assert "where 1.0.0 itself sees" in told["1.1.0"]["answer"]
    assert told["1.0.0"]["wrote"] == ["put-system"]


@pytest.mark.parametrize(("cents", "agrees"), [(1999, True), (1998, False)])
def test_numbers_are_compared_by_value(
    interlock: Interlock, tmp_path: Path, dsn: str, cents: int, agrees: bool
) -> None:
    """A price out of a division has more digits, and is the same price."""
    product = write_chain(tmp_path / "p", priced(cents))
    answer = rehearse(interlock, product, dsn)
    assert answer["agrees"] == agrees
    if not agrees:
        assert missed(answer) == {("1.0.0", "price", "1.1.0"), ("1.1.0", "price", "1.0.0")}


def test_what_another_statement_wrote_is_not_laid_on_the_one_before_the_look(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    """The invoice is written alike by both; its address is what the new server alone writes."""
    answer = rehearse(interlock, write_chain(tmp_path / "p", invoiced()), dsn)
    told = {each["server"]: each for each in answer["false_promises"]}
    assert told["1.0.0"]["wrote"] == ["put-customer", "put-address"]


GENERATED = """
-- name: put-event
-- sample: {"host": "web1"}
INSERT INTO event (host) VALUES (%(host)s) RETURNING id;

-- name: events
-- sample: {}
SELECT id, at, token, host FROM event;

-- name: get-event
-- sample: {"id": {"from": "put-event", "column": "id"}}
SELECT host, at FROM event WHERE id = %(id)s;
"""
EVENT = """
CREATE TABLE public.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, host text,
    at timestamptz DEFAULT now(), token uuid DEFAULT gen_random_uuid()
);"""


def test_numbers_times_and_tokens_are_no_difference(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = renamed(more=GENERATED)
    first = specs["1.0.0"]
    specs["1.0.0"] = Spec(
        schema=1, steps={"expand:base": BASE + EVENT}, statements=first.statements
    )
    assert rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)["agrees"]


OTHER = """
-- name: tag
-- sample: {"id": 1}
UPDATE host SET name = 'tagged' WHERE id = %(id)s;
"""


def test_a_new_operation_of_the_new_server_is_no_loss(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = renamed()
    for version in ("1.1.0", "1.2.0"):
        spec = specs[version]
        specs[version] = Spec(
            schema=spec.schema,
            steps=spec.steps,
            statements=spec.statements + OTHER,
            peers=spec.peers,
        )
    assert rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)["agrees"]


@pytest.mark.parametrize(
    ("file", "sound", "broken"),
    [
        ("11-os-name.sql", "NEW.os := concat_ws(' ',", "NEW.os := concat_ws('-',"),
        ("11-os-name.sql", "substring(NEW.os from", "substring(NEW.name from"),
    ],
    ids=["new-to-old", "old-to-new"],
)
def test_fleetdesk_without_a_part_of_its_synchronisation_is_found(
    interlock: Interlock, tmp_path: Path, dsn: str, file: str, sound: str, broken: str
) -> None:
    """The whole of it is quiet: test_rehearse.py asks for that."""
    product = tmp_path / "fleetdesk"
    shutil.copytree(FLEETDESK, product)
    path = product / "sql" / file
    text = path.read_text()
    assert sound in text
    path.write_text(text.replace(sound, broken))
    assert missed(rehearse(interlock, product, dsn))
