"""Inventories: read with lines and columns, all problems at once, and written back whole."""

import pytest

from tests.unit.plan.rollout.samples import V, fleet, release
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet
from toolchain.plan.rollout.world.shard import Stage
from toolchain.render.inventory import inventory_yaml
from toolchain.spec.inventory.check import check_inventory

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
  - {name: west, release: 4.0.0, schema: 11, servers: ">= 0.0.0", steps: [b.expand]}
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
    assert str(west.state.handshake.servers) == ">= 0.0.0"
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
        ("", "the file is empty; write the product, its servers and its shards"),
        ("product: demo\n", "add servers or shards"),
        (
            'product: demo\nservers: [{host: "a\\x07", version: 4.1.0}]\n',
            "2:18: the value holds the control character U+0007;"
            " take it out: no name of a host or shard holds it",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.0.0, schema: 12}]\n",
            "2:44: a shard at 4.0.0 has schema 11, not 12;"
            " leave schema out, or write release: 4.1.0, which has 12",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.1.0, schema: 1}]\n",
            "a shard at 4.1.0 has schema 12, not 1; leave schema out, or write the shard's release",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.1.0, servers: '>= 4.1.0'}]\n",
            "2:45: a shard at 4.1.0 accepts servers >= 4.0.0, not >= 4.1.0;"
            " leave servers out, or write the release that the shard is at",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.1.0, servers: '>= 0.0.0'}]\n",
            "write contracted: false, with which that is true",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.1.0, servers: '>= 4.0.0, < 9.0.0'}]\n",
            "accepts servers >= 4.0.0, not >= 4.0.0, < 9.0.0",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.0.0, contracted: false}]\n",
            "2:48: 4.0.0 has nothing to contract, so nothing of it can wait; delete contracted",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.0.0, steps: [b.expnd]}]\n",
            "is not a step",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.0.0, steps: [bb.expand]}]\n",
            "2:44: no release of the product has the step 'bb.expand'; did you mean b.expand?",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.1.0, steps: [b.expand]}]\n",
            "b.expand is no further step: it belongs to 4.1.0 already",
        ),
        (
            "product: demo\nshards: [{name: n, release: 4.0.0, steps: [a.contract]}]\n",
            "a.contract runs only in a shard that is at 4.1.0; delete it, or write release: 4.1.0",
        ),
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


def test_the_host_of_a_shards_phases_is_kept():
    standing = read("product: demo\nshards: [{name: north, host: db1, release: 4.0.0}]\n")
    assert standing.shards[0].host == "db1"
    assert read(inventory_yaml("demo", standing)) == standing


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


def test_a_large_inventory_has_each_of_its_problems_at_its_line():
    """Entries that are in order at a glance skip the schema; the others must not."""
    good = [f"  - {{host: web{number}, version: 4.0.0}}" for number in range(200)]
    group = "  - {hosts: [a, b, c], version: 4.1.0}"
    bad = [
        ("  - {host: web_, version: 4.0.0}", "is not a host's name"),
        ("  - {host: null, version: 4.0.0}", "the key has no value"),
        ("  - {host: x, version: 4.0}", "is not a release version"),
        ("  - {hosts: [y, null], version: 4.0.0}", "the key has no value"),
        ("  - {hosts: [], version: 4.0.0}", "this is empty"),
        ("  - {host: [z], version: 4.0.0}", "a list where another kind"),
        ("  - {host: v, version: 4.0.0, rack: 7}", "there is no key 'rack' here"),
    ]
    lines = ["product: demo", "servers:", *good, group, *(line for line, _ in bad)]
    found = problems("\n".join([*lines, ""]))
    assert len(found) == len(bad)
    for number, (told, (_, sentence)) in enumerate(zip(found, bad, strict=True), 204):
        assert told.startswith(f"inventory.yaml:{number}:")
        assert sentence in told


def test_a_shard_may_say_what_any_way_to_its_release_makes_true():
    """One that came through a hotfix has the hotfix's higher schema and narrower window."""
    chain = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release("1.0.1", 5, 3, "fix.expand", servers=">= 1.0.0"),
            release("1.1.0", 3, 2, "b.expand"),
        ]
    )

    def said(text: str) -> Fleet | None:
        entry = f"product: demo\nshards: [{{name: n, release: 1.1.0, {text}}}]\n"
        return check_inventory("i.yaml", entry.encode(), "demo", chain).fleet

    assert said("schema: 2") is not None
    assert said("schema: 3") is not None
    assert said("schema: 3, contracted: false") is None
    assert said("schema: 1") is None
    assert said('schema: 3, servers: ">= 1.0.1"') is None
