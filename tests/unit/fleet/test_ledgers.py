"""Ledger readings to a fleet, and the shards file that leads to them."""

from pathlib import Path

import pytest

from tests.unit.plan.rollout.samples import V, release
from toolchain.edge.ledger import LedgerReading, Registered
from toolchain.edge.ledger_config import read_addresses
from toolchain.errors import InterlockError, UsageError
from toolchain.fleet.ledgers import fleet_of
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import Stage

CHAIN = Chain.of(
    [
        release("1.0.0", 1, 1, "a.expand", servers=">= 1.0.0"),
        release("1.1.0", 2, 2, "b.expand", "a.contract", servers=">= 1.0.0"),
        release("1.2.0", 3, 3, "c.expand", servers=">= 1.1.0"),
    ]
)


def reading(shard: str = "north", **changes: object) -> LedgerReading:
    values: dict[str, object] = {
        "shard": shard,
        "schema": 2,
        "oldest_server": "1.0.0",
        "servers_below": None,
        "ready": "1.1.0",
        "closed": "1.1.0",
        "steps": ("a.expand", "b.expand", "a.contract"),
        "servers": (),
    }
    return LedgerReading(**{**values, **changes})  # type: ignore[arg-type]


def test_a_contract_that_has_not_run_leaves_the_shard_ready():
    whole, half = fleet_of(
        [reading("north"), reading("south", steps=("a.expand", "b.expand"))], CHAIN
    ).shards
    assert whole.state.stage is Stage.CLOSED
    assert half.state.stage is Stage.READY
    assert whole.state.release == half.state.release == V("1.1.0")


def test_steps_beyond_the_release_are_kept():
    ahead = (*reading().steps, "c.expand")
    (shard,) = fleet_of([reading(steps=ahead)], CHAIN).shards
    assert shard.state.ahead == {"c.expand"}


def test_a_host_is_one_server_unless_its_instances_differ():
    def registered(host: str, instance: str, version: str) -> Registered:
        return Registered(host=host, instance=instance, version=version)

    found = fleet_of(
        [
            reading(
                "north",
                servers=(
                    registered("web1", "web", "1.0.0"),
                    registered("web1", "worker", "1.0.0"),
                    registered("web2", "web", "1.1.0"),
                    registered("web2", "worker", "1.0.0"),
                ),
            ),
            reading("south", servers=(registered("web2", "web", "1.0.0"),)),
        ],
        CHAIN,
    )
    assert [(one.host, str(one.version)) for one in found.servers] == [
        ("web1", "1.0.0"),
        ("web2", "1.0.0"),
    ]
    apart = fleet_of(
        [reading(servers=(registered("w", "a", "1.0.0"), registered("w", "b", "1.1.0")))], CHAIN
    )
    assert [one.host for one in apart.servers] == ["w/a", "w/b"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ready": None}, "has no release that is ready"),
        (
            {"schema": 5},
            "shard north is at 1.1.0 and says schema 5, servers >= 1.0.0, where the specs make"
            " schema 2, servers >= 1.0.0 of it; plan with the specs",
        ),
        ({"oldest_server": "1.1.0"}, "says schema 2, servers >= 1.1.0, where the specs"),
        ({"servers_below": "9.0.0"}, "says schema 2, servers >= 1.0.0, < 9.0.0, where"),
        ({"ready": "1.3.0"}, "is at release 1.3.0, which the product does not have"),
        (
            {"servers": (Registered(host="w", instance="i", version="0.9.0"),)},
            "server w of north is at release 0.9.0",
        ),
    ],
)
def test_what_no_plan_can_start_from(changes: dict[str, object], sentence: str):
    with pytest.raises(InterlockError, match=sentence):
        fleet_of([reading(**changes)], CHAIN)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no shard"),
        ("[north]\n", "needs either a dsn or a service"),
        ("[north]\ndsn = host=a\nservice = b\n", "needs either a dsn or a service"),
        ("[north]\ndsn = password hunter2\n", "the dsn is not a connection string"),
        ("[north]\ndsn = host=a\ndns = b\n", "there is no option 'dns'"),
        ("[north]\ndsn = host=a\nconnect_timeout = soon\n", "connect_timeout"),
        ("dsn = hunter2\n", "line 1: a section such as [north] must come first"),
        ("[north]\nhunter2\n", "line 2 is neither a section, an option nor a comment"),
        ("[North; DROP]\nservice = x\n", "is not the name of a shard"),
        ("[north]\ndsn = host=a\nlock_timeout = soon\n", "lock_timeout"),
        ("[north]\ndsn = host=a\npassword_file = gone\n", "cannot read the password file"),
    ],
)
def test_a_shards_file_that_is_not_in_order(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "shards.ini"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError) as error:
        read_addresses(path)
    assert sentence in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_password_file_is_read_and_never_shown(tmp_path: Path):
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "secret").chmod(0o600)
    path = tmp_path / "shards.ini"
    path.write_text("[*]\nconnect_timeout = 3s\n[north]\ndsn = host=a\npassword_file = secret\n")
    (address,) = read_addresses(path)
    assert address.parameters["password"] == "hunter2"
    assert address.connect_timeout == 3
    assert "hunter2" not in repr(address)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(UsageError, match="readable by others"):
        read_addresses(path)
