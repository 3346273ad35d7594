"""A rehearsal's JSON read back: by release, and refused where it is another thing."""

import json
from pathlib import Path

import pytest

from tests.report_samples import open_sample, rehearsal, version, write_rehearsal
from toolchain.errors import UsageError
from toolchain.matrix.measured.values import Broken
from toolchain.report.measured_file import read_measured


def test_every_pair_that_was_tried_comes_back(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    broken = Broken(release=version("1.2.0"), way="", sentence="no space left")
    path = write_rehearsal(
        tmp_path / "m.json",
        product,
        rehearsal(product, {("1.0.0", "1.1.0"): False}, untried=("1.2.0",), broken=(broken,)),
    )
    tried = read_measured(path, product)
    assert len(tried.works) == 6
    first, second = version("1.0.0"), version("1.1.0")
    assert tried.works[first, first]
    assert not tried.works[first, second]
    failed = tried.failed[first, second]
    assert failed.sentence == (
        'list-things at statements/1.0.0.sql:3:1: relation "demo_1" does not exist (SQLSTATE 42P01)'
    )
    assert failed.sql == "SELECT thing\nFROM demo_1"
    assert tried.broken == ("the walk ends at 1.2.0: no space left",)


def test_a_half_way_state_counts_where_a_promise_fails(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    path = write_rehearsal(tmp_path / "m.json", product, rehearsal(product))
    document = json.loads(path.read_text())
    for state in document["states"]:
        state["half_way"] = True
    for pair in document["pairs"]:
        pair["measured"] = False
        pair["failures"] = [
            {"statement": None, "answer": "exit", "code": "1", "sql": None, "detail": ""}
        ]
    path.write_text(json.dumps(document))
    tried = read_measured(path, product)
    # What a half-way shard refuses is no news; what it promises and breaks is.
    assert sorted(map(str, {server for server, _ in tried.works})) == ["1.0.0", "1.1.0", "1.2.0"]
    assert not any(tried.works.values())
    assert len(tried.works) == 5
    assert "half-way, after the end" in next(iter(tried.failed.values())).sentence


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "is no rehearsal: it is not JSON"),
        ("[" * 100_000, "is no rehearsal: it is not JSON"),
        ("{}", "lacks or garbles 'product'"),
        ("[]", "is no rehearsal: it is not a JSON object"),
        ('{"product": "demo", "states": [], "pairs": [{}]}', "lacks or garbles"),
        ('{"product": "other"}', "is a rehearsal of 'other', not of demo"),
    ],
)
def test_another_file_is_refused(text: str, says: str, tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_measured(path, product)
    assert says in str(caught.value)
    assert "m.json" in str(caught.value)


def test_a_rehearsal_of_other_windows_is_refused(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    path = write_rehearsal(tmp_path / "m.json", product, rehearsal(product))
    document = json.loads(path.read_text())
    document["pairs"][2]["declared"] = True
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="other windows: those of server 1.0.0 and database 1.2.0"):
        read_measured(path, product)


def test_a_release_that_is_gone_is_named(tmp_path: Path):
    longer = open_sample(tmp_path / "long", 4).product
    path = write_rehearsal(tmp_path / "m.json", longer, rehearsal(longer))
    product = open_sample(tmp_path / "demo").product
    with pytest.raises(UsageError, match=r"measured release 1.3.0, which demo does not have"):
        read_measured(path, product)
