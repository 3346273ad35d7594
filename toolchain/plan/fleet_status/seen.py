"""What one look at a shard has shown: its ledger, its servers, the runner that is at work on it.

Ages and durations are seconds by the shard's own clock, because hosts' clocks differ.
"""

from dataclasses import dataclass

from toolchain.model.change import Phase
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible
from toolchain.model.version import Version
from toolchain.model.window import Window

# Peers are a matter of servers among each other; between a server and a shard they bind nothing.
_ANY = Window(Version(0, 0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A server as it registered with one shard; `left` is negative once it has expired."""

    host: str
    instance: str
    version: Version
    schemas: Window[int]
    age: float
    expires: float
    live: bool
    retired: bool

    @property
    def left(self) -> float:
        """Seconds until it expires unless it is seen again."""
        return self.expires - self.age

    def fits(self, shard: ShardHandshake) -> bool:
        """The law, with the windows under which the server registered."""
        server = ServerHandshake(version=self.version, schemas=self.schemas, peers=_ANY)
        return compatible(server, shard)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSeen:
    """A step as the ledger has it; `seconds` is the time that its batches have taken so far.

    `estimate` is PostgreSQL's own estimate of the rows to walk, where it has one.
    """

    id: str
    release: Version
    phase: Phase
    state: str
    rows: int = 0
    seconds: float = 0.0
    estimate: int | None = None

    @property
    def done(self) -> bool:
        """Whether it has run to its end and has not been undone."""
        return self.state == "done"

    @property
    def unfinished(self) -> bool:
        """Whether it, or its undo, has begun and not ended."""
        return self.state in {"running", "undoing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A session that holds what the runner waits for; `pid` is 0 for a prepared transaction.

    What the role may not see of another's session is None.
    """

    pid: int
    application: str | None
    user: str | None
    client: str | None
    state: str | None
    age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSeen:
    """The session that holds the product's advisory lock on a shard.

    `quiet` is how long it has sent nothing, `waits_for` what it wants to lock and cannot,
    `index_build` how far PostgreSQL is with the index that it builds.
    """

    pid: int
    application: str
    client: str | None = None
    age: float | None = None
    quiet: float | None = None
    waits_for: str | None = None
    blockers: tuple[Blocker, ...] = ()
    index_build: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSeen:
    """One product's ledger; on a `standby` nobody can tell whether a runner is at work."""

    handshake: ShardHandshake
    ready: Version | None
    closed: Version | None
    steps: tuple[StepSeen, ...] = ()
    servers: tuple[Registration, ...] = ()
    runner: RunnerSeen | None = None
    standby: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSeen:
    """A shard by the name that the shards file gives it; `problem` says why it was not read."""

    name: str
    ledger: LedgerSeen | None
    problem: str | None = None

    def __post_init__(self) -> None:
        if (self.ledger is None) != (self.problem is not None):
            raise ValueError("a shard has either a ledger or a problem")
