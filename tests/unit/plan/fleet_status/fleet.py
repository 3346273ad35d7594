"""Shards as one look shows them, in a few words."""

from typing import Any

from tests.unit.plan.rollout.samples import V, release
from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.window import Window, version_window
from toolchain.plan.fleet_status.seen import LedgerSeen, Registration, ShardSeen, StepSeen
from toolchain.plan.rollout.world.facts import Chain

# A column is renamed: both there from 1.1, the old one gone with 1.2, which no server before 1.1 bears.
CHAIN = Chain.of(
    [
        release("1.0.0", 1, 1, "base.expand", servers=">= 1.0.0"),
        release("1.1.0", 2, 2, "mail.expand", "mail.migrate", servers=">= 1.0.0"),
        release("1.2.0", 3, 3, "note.expand", "mail.contract", peers=">= 1.1.0", servers=">= 1.1.0"),
    ]
)  # fmt: skip


def step(ident: str, version: str, state: str = "done", **details: Any) -> StepSeen:
    phase = Phase(ident.rpartition(".")[2])
    return StepSeen(id=ident, release=V(version), phase=phase, state=state, **details)


AT_1_0 = (step("base.expand", "1.0.0"),)
AT_1_1 = (*AT_1_0, step("mail.expand", "1.1.0"), step("mail.migrate", "1.1.0"))
AT_1_2 = (*AT_1_1, step("note.expand", "1.2.0"))


def server(host: str, version: str, **details: Any) -> Registration:
    """A live server, seen three seconds ago, that runs on every schema."""
    standing = {
        "instance": "web",
        "schemas": Window(1),
        "age": 3.0,
        "expires": 600.0,
        "live": True,
        "retired": False,
    }
    return Registration(host=host, version=V(version), **{**standing, **details})


def shard(name: str, ready: str | None, *servers: Registration, **details: Any) -> ShardSeen:
    """A shard whose release is ready, and whose contracts so far have run."""
    steps = {None: (), "1.0.0": AT_1_0, "1.1.0": AT_1_1, "1.2.0": AT_1_2}[ready]
    schema = {None: 0, "1.0.0": 1, "1.1.0": 2, "1.2.0": 3}[ready]
    handshake = ShardHandshake(schema=schema, servers=version_window(">= 1.0.0"))
    standing = {"handshake": handshake, "closed": None, "steps": steps}
    ledger = LedgerSeen(
        ready=None if ready is None else V(ready), servers=servers, **{**standing, **details}
    )  # fmt: skip
    return ShardSeen(name=name, ledger=ledger)


def unread(name: str, problem: str) -> ShardSeen:
    return ShardSeen(name=name, ledger=None, problem=problem)
