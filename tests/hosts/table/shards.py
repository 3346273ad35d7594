"""Walks a real shard through every state of a product's chain, and keeps a copy of each.

The runner of the newest database package does the walking, one phase of one release at a time, so
that a server meets the half-way states too: expanded and not migrated, migrated and not contracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible
from toolchain.model.version import Version
from toolchain.model.window import Window

from ..host import Host
from ..products import Customer, Packaged, Pair

PHASES = (Phase.EXPAND, Phase.MIGRATE, Phase.CONTRACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """A database that stands where the runner left it, and what its ledger says of it.

    `reached` names the last phase that had run, `also` those after it that changed no number.
    """

    database: str
    reached: str
    also: tuple[str, ...]
    handshake: ShardHandshake

    def __str__(self) -> str:
        servers = self.handshake.servers
        return f"{self.reached} (schema {self.handshake.schema}, servers {servers})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Two shards, each where it is, as a server that uses both finds them."""

    north: ShardState
    south: ShardState

    @property
    def shards(self) -> tuple[tuple[str, ShardState], ...]:
        """Each shard's name and state."""
        return ("north", self.north), ("south", self.south)

    def fits(self, server: ServerHandshake) -> bool:
        """The law: a server must be compatible with every shard."""
        return all(compatible(server, state.handshake) for _, state in self.shards)

    def legal(self, packaged: Packaged) -> tuple[Version, ...]:
        """The servers that may run, from the oldest to the newest."""
        releases = packaged.product.releases
        return tuple(one.version for one in releases if self.fits(one.server_handshake))

    def __str__(self) -> str:
        return f"north {self.north}, south {self.south}"


def walk(host: Host, packaged: Packaged) -> tuple[ShardState, ...]:
    """Walk one shard from the first phase to the last; a state for each change of its handshake.

    The databases of all states stay on the host's PostgreSQL, under a role of the product's name.
    """
    customer = Customer(host=host, packaged=packaged)
    newest = packaged.versions[-1]
    done = customer.install(Pair(database=newest))
    assert customer.pair() == Pair(database=newest), done
    name = packaged.product.name
    walker = f"{name}_walker"
    host.sql("postgres", f"CREATE ROLE {name} LOGIN; CREATE DATABASE {walker} OWNER {name}")
    host.write(
        f"/etc/{customer.database}/shards.ini",
        f"[walker]\ndsn = host={host.name} dbname={walker} user={name}\n",
        mode=0o640,
    )
    states: list[ShardState] = []
    for reached, words in _steps(packaged):
        run = host.run(customer.database, "apply", "--quiet", *words, check=False, timeout=300)
        assert run.returncode == 0, run
        handshake = read_handshake(host, walker, name)
        if states and states[-1].handshake == handshake:
            last = states.pop()
            database, first, also = last.database, last.reached, (*last.also, reached)
        else:
            database, first, also = f"{name}_{len(states)}", reached, ()
            host.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {walker} OWNER {name}")
        states.append(ShardState(database=database, reached=first, also=also, handshake=handshake))
    return tuple(states)


def _steps(packaged: Packaged) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Every phase of every release: what it is called, and the runner's words for it."""
    return [
        (f"{release.version} {phase.value}", ("--to", str(release.version), "--phase", phase.value))
        for release in packaged.product.releases
        for phase in PHASES
        if release.database.of(phase) or phase is Phase.MIGRATE
    ]


def read_handshake(host: Host, database: str, product: str) -> ShardHandshake:
    """What the shard says of itself, from its own ledger."""
    question = (
        "SELECT schema, oldest_server, coalesce(servers_below, '') FROM interlock.handshake"
        f" WHERE product = '{product}'"
    )
    schema, oldest, below = host.sql(database, question).strip().split("|")
    servers = Window(Version.parse(oldest), Version.parse(below) if below else None)
    return ShardHandshake(schema=int(schema), servers=servers)
