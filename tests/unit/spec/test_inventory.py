"""Inventories: read with lines and columns, all problems at once, and written back whole."""

import pytest

from tests.unit.plan.rollout.world import V, fleet, release
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.shard import Stage
from toolchain.render.inventory import inventory_yaml
from toolchain.spec.inventory import check_inventory

CHAIN = Chain.of(
    [
        release("4.0.0", 1, 11, "a.expand"),
        release("4.1.0", 2, 12, "b.expand", "a.contract", servers=">= 4.0.0"),
        release("4.1.1", 3, 12, packaged=False),
    ]
)


def problems(text: str) -> list[str]:
    checked = check_inventory("inventory.yaml", text.encode(), "demo", CHAIN)
    assert checked.fleet is None
    return [str(problem) for problem in checked.problems]


def read(text: str) -> Fleet:
    checked = check_inventory("inventory.yaml", text.encode(), "demo", CHAIN)
    assert checked.fleet is not None, checked.problems
    return checked.fleet


def test_hosts_and_shards_in_every_form():
    found = read(
        """\
product: demo
servers:
  - {host: web2, version: 4.0.0}
  - {hosts: [web1, "10.0.0.7"], version: "4.1.1"}
shards:
  - {name: south, schema: 12, contracted: false}
  - {name: north, release: 4.1.1}
  - {name: west, release: 4.0.0, schema: 11, servers: ">= 3.9.0", steps: [b.expand]}
"""
    )
    assert [(one.host, str(one.version)) for one in found.servers] == [
        ("10.0.0.7", "4.1.1"),
        ("web1", "4.1.1"),
        ("web2", "4.0.0"),
    ]
    north, south, west = found.shards
    assert (north.state.release, north.state.stage) == (V("4.1.0"), Stage.CLOSED)
    assert (south.state.release, south.state.stage) == (V("4.1.0"), Stage.READY)
    assert west.state.ahead == {"b.expand"}
    assert str(west.state.handshake.servers) == ">= 3.9.0"
    assert found.servers[0].origin is not None
    assert str(found.servers[0].origin) == "inventory.yaml:4:20"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("product: demo\n", "inventory.yaml:1:1: the fleet has neither servers nor shards"),
        ("product: other\nservers: []\n", "1:10: this is an inventory of other"),
        ("servers: []\n", "the key 'product' is missing"),
        (
            "product: demo\nservers: [{host: a, version: 4.10}]\n",
            "2:30: '4.10' is not a release version; write 4.10.0",
        ),
        (
            "product: demo\nservers: [{host: a, version: 4.1.2}]\n",
            "there is no release 4.1.2 of the product; did you mean 4.1.1?",
        ),
        (
            "product: demo\nservers: [{host: a, version: 4.1.0}, {host: a, version: 4.1.0}]\n",
            "the host 'a' stands here and on line 2",
        ),
        ("product: demo\nservers: [{version: 4.1.0}]\n", "the entry names no host"),
        (
            "product: demo\nservers: [{host: a, hosts: [b], version: 4.1.0}]\n",
            "the entry has both host and hosts",
        ),
        ("product: demo\nservers: [{host: a b, version: 4.1.0}]\n", "is not a host's name"),
        ("product: demo\nservers: [{hots: a, version: 4.1.0}]\n", "write host"),
        ("product: demo\nshards: [{name: n}]\n", "tells neither release nor schema"),
        ("product: demo\nshards: [{name: n, schema: 13}]\n", "no release has schema 13"),
        ("product: demo\nshards: [{name: n, schema: '12'}]\n", "is text, not a whole number"),
        ("product: demo\nshards: [{name: n, relase: 4.1.0}]\n", "write release"),
        ("product: demo\nshards: [{name: N, release: 4.1.0}]\n", "is not a shard's name"),
        ("product: demo\nshards: &a []\n", "the anchor or alias 'a' is not allowed"),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_cure(text: str, sentence: str):
    assert any(sentence in problem for problem in problems(text)), problems(text)


def test_bytes_that_are_no_text():
    checked = check_inventory("inventory.yaml", b"product: \xff", "demo", CHAIN)
    assert "is not UTF-8" in checked.problems[0].message


def test_all_problems_come_at_once():
    text = "product: other\nservers: [{version: 4.1.0}, {host: a, version: 1.0.0}]\nshard: []\n"
    assert len(problems(text)) == 4


def test_what_is_written_is_read_back_the_same():
    standing = fleet(CHAIN, "4.0.0 4.1.1 4.0.0", "4.1.0? 4.0.0")
    text = inventory_yaml("demo", standing, ["Read from ledgers."])
    assert text.startswith("# Read from ledgers.\nproduct: demo\n")
    assert read(text) == standing


def test_a_schema_of_two_branches_asks_for_the_release():
    chain = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release("1.0.1", 5, 2, "fix.expand"),
            release("1.1.0", 3, 2, "b.expand"),
        ]
    )
    checked = check_inventory(
        "i.yaml", b"product: demo\nshards: [{name: n, schema: 2}]\n", "demo", chain
    )
    assert "schema 2 is that of 1.0.1 and 1.1.0" in checked.problems[0].message


def test_ten_thousand_hosts_are_read():
    lines = [f"  - {{host: web{number}, version: 4.0.0}}" for number in range(10_000)]
    text = "\n".join(["product: demo", "servers:", *lines, ""])
    assert len(read(text).servers) == 10_000
