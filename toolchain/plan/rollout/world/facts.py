"""What the planner needs of a release, and the chain that a product's releases make."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from toolchain.model.change import Phase
from toolchain.model.history import parents
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One step of a release: its name in the ledger, its phase, whether it can be taken back."""

    id: str
    phase: Phase
    undoable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where a release and its three windows are written."""

    release: Origin
    schemas: Origin
    peers: Origin
    servers: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """A release as far as a rollout is concerned.

    `packaged` is false where the release has no database package. `withdrawn` is the reason why
    nobody should go there any more; a fleet may hold it still.
    """

    version: Version
    date: date
    server: ServerHandshake
    shard: ShardHandshake
    steps: tuple[StepFacts, ...] = ()
    packaged: bool = True
    withdrawn: str | None = None
    origins: Origins | None = field(default=None, compare=False)

    @property
    def recommended(self) -> bool:
        """Whether fleets go there without being told to: it is final, and not withdrawn."""
        return self.withdrawn is None and self.version.stage is None

    def of(self, phase: Phase) -> tuple[StepFacts, ...]:
        """The steps of one phase."""
        return tuple(step for step in self.steps if step.phase is phase)


@dataclass(frozen=True, slots=True)
class Chain:
    """The releases of a product in version order, and which each was built upon."""

    releases: tuple[ReleaseFacts, ...]
    parents: tuple[int | None, ...]
    places: dict[Version, int]

    @classmethod
    def of(cls, releases: Iterable[ReleaseFacts]) -> "Chain":
        """The chain of these releases, in whatever order they come."""
        ordered = tuple(sorted(releases, key=lambda release: release.version))
        places = {release.version: at for at, release in enumerate(ordered)}
        return cls(ordered, parents(ordered), places)

    def __len__(self) -> int:
        return len(self.releases)

    def __getitem__(self, at: int) -> ReleaseFacts:
        return self.releases[at]

    def at(self, version: Version) -> ReleaseFacts:
        """The release of that version; raises KeyError when there is none."""
        return self.releases[self.places[version]]

    def history(self, at: int) -> tuple[int, ...]:
        """The places of the releases that a release was built upon, itself at the end."""
        found: list[int] = []
        here: int | None = at
        while here is not None:
            found.append(here)
            here = self.parents[here]
        return tuple(reversed(found))

    def database(self, at: int) -> int | None:
        """The release whose database package goes with a release: itself or the last before it.

        One that is withdrawn goes with nothing.
        """
        for place in reversed(self.history(at)):
            if self.releases[place].packaged and self.releases[place].withdrawn is None:
                return place
        return None


def chain_of(product: Product) -> Chain:
    """The chain of a product that was read from its specs."""
    return Chain.of(_facts(release) for release in product.releases)


def _facts(release: Release) -> ReleaseFacts:
    return ReleaseFacts(
        version=release.version,
        date=release.date,
        server=release.server_handshake,
        shard=release.shard_handshake,
        steps=tuple(
            StepFacts(
                id=step.id,
                phase=step.phase,
                # The data that a migrate moved may stay; an expand without an undo may not.
                undoable=step.phase is Phase.MIGRATE or step.undo is not None,
            )
            for step in release.database.steps
        ),
        packaged=release.database.packaged,
        withdrawn=release.withdrawn,
        origins=Origins(
            release=release.origin,
            schemas=release.server.schemas_origin,
            peers=release.server.peers_origin,
            servers=release.database.servers_origin,
        ),
    )
