"""What comes to a fleet from outside: commands of operators and blows of fate, with their delays.

A run is decided by these alone. A delay is part of what it delays, so that leaving one out moves
no other.
"""

from dataclasses import dataclass
from enum import Enum


class Way(Enum):
    """How a server package is brought in: which gates are on the way before it is unpacked."""

    APT = "apt install"
    OVERRIDDEN = "apt install, with the hook overridden"
    DPKG = "dpkg -i"
    FORCED = "dpkg -i --force-conflicts, with the hook overridden"

    @property
    def solved(self) -> bool:
        """Whether relations are heeded."""
        return self is not Way.FORCED

    @property
    def hooked(self) -> bool:
        """Whether the transaction hook is asked."""
        return self is Way.APT

    @property
    def scripted(self) -> bool:
        """Whether the package's own script asks, as it is unpacked."""
        return self in (Way.APT, Way.DPKG)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A server package comes to a host, whatever stands there; releases are places.

    `database` is a database package that comes in the same run.
    """

    host: int
    release: int
    way: Way
    unpack: int
    restart: int
    database: int | None = None


@dataclass(frozen=True, slots=True)
class Apply:
    """A database package comes to a shard's host, and its phases run, the contract if wanted.

    `elsewhere` says that it is a host without a server, which the relations have no say on.
    """

    shard: int
    release: int
    contract: bool
    pace: int
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """A shard is taken back to a release."""

    shard: int
    release: int
    pace: int


@dataclass(frozen=True, slots=True)
class Retire:
    """A host's registrations are taken out of the gate's sight; by force even if it is live."""

    host: int
    force: bool = False


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """A host is dead at once, and boots again after so many seconds."""

    host: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A host can't reach one shard, or any (None), for so many seconds."""

    host: int
    shard: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody can reach a shard, or any (None), for so many seconds."""

    shard: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The clock of a shard's database, or of all (None), jumps, forward or back."""

    shard: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Restore:
    """A shard is again what it was so many seconds ago: a standby that lagged, or a backup."""

    shard: int
    seconds: int


@dataclass(frozen=True, slots=True)
class RunnerKilled:
    """Whoever runs phases on a shard dies between two of them."""

    shard: int


@dataclass(frozen=True, slots=True)
class AgentHangs:
    """A host's shard packages stay as they are for so many seconds."""

    host: int
    seconds: int


@dataclass(frozen=True, slots=True)
class RegistrarDies:
    """The unit that refreshes a registration dies, and is started anew so many seconds later."""

    host: int
    seconds: int


@dataclass(frozen=True, slots=True)
class OverrideLeft:
    """Somebody overrides a host's hook for so many seconds; whoever comes meanwhile passes it."""

    host: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Clone:
    """A host becomes a running copy of another one, host name included."""

    host: int
    original: int


Command = (
    Upgrade
    | Apply
    | Undo
    | Retire
    | PowerLoss
    | Cut
    | Outage
    | ClockJump
    | RunnerKilled
    | AgentHangs
    | RegistrarDies
    | Restore
    | OverrideLeft
    | Clone
)

# A moment in seconds, and what comes then.
Event = tuple[int, Command]


class Gate(Enum):
    """The six gates, in the order in which they stand."""

    PROOF = "proof"
    RELATIONS = "relations"
    SHARD_PACKAGES = "shard-packages"
    HOOK = "hook"
    START_UP = "start-up"
    CONTRACT = "contract"


class Assumption(Enum):
    """What the promise rests on; each can be lifted, to see what then happens."""

    RETURNS = "returns"  # who runs without a refresh is back before its registration expires
    OUTAGES = "outages"  # a shard is away for less than a registration lives
    CLOCKS = "clocks"  # no database's clock jumps forward by more than that leaves
    RETIRED = "retired"  # only who has stopped is retired
    DURABLE = "durable"  # what a shard has committed stays: no lagging standby, no old backup
    NAMES = "names"  # no two hosts have the same name
