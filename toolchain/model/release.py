"""A product and its releases, as their specs declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from toolchain.model.change import Form, Phase, Step
from toolchain.model.history import history
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.relation import Relation
from toolchain.model.statement import Probe, Statement
from toolchain.model.version import Version
from toolchain.model.window import Window


class Format(Enum):
    """A package format."""

    DEB = "deb"
    RPM = "rpm"


class Architecture(Enum):
    """What a server's files run on; the value is Debian's name for it."""

    ALL = "all"
    AMD64 = "amd64"
    ARM64 = "arm64"


class RolloutPolicy(Enum):
    """Which side a customer upgrades first."""

    DATABASE_FIRST = "database-first"
    ANY_ORDER = "any-order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A payload file or directory, one path for each architecture.

    Paths are relative to the product's directory; the key ALL serves every architecture.
    """

    paths: Mapping[Architecture, str]
    origin: Origin = field(compare=False)

    def path(self, architecture: Architecture) -> str:
        """The path for one architecture; raises KeyError when the spec has none."""
        return self.paths.get(architecture) or self.paths[Architecture.ALL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a service says that it is well: an address that answers 200, or a command that ends in 0.

    A service with neither is well when its unit runs. It has `timeout` seconds from its start.
    """

    url: str | None = None
    command: tuple[str, ...] = ()
    timeout: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A systemd service that runs a binary; `name` is the unit without `.service`.

    `health` is for whoever rolls a release out; no package carries it.
    """

    name: str
    description: str
    user: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    health: Health = Health()


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFile:
    """A file (or a directory with all that is in it) that the server package installs."""

    source: Source
    target: str
    mode: int | None = None
    service: Service | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file that the operator may edit: a conffile, `%config(noreplace)`."""

    source: Source
    target: str
    mode: int = 0o644
    group: str = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A system user with a group of the same name, made by systemd-sysusers."""

    name: str
    description: str
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDirectory:
    """A directory made at installation by systemd-tmpfiles and removed by a purge."""

    path: str
    owner: str
    group: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """The server half of a release.

    `forms` holds what the spec says of the changes that this server meets; the others follow from
    the rollout policy (toolchain.matrix.forms). `statements` and `probe` are for the rehearsal; no
    package carries them. An origin of a window that the spec does not
    declare is that of the fact which it is derived from.
    """

    schemas: Window[int]
    schemas_declared: bool = True
    peers: Window[Version]
    forms: Mapping[str, Form] = field(default_factory=dict)
    binaries: tuple[PayloadFile, ...]
    files: tuple[PayloadFile, ...] = ()
    config: tuple[ConfigFile, ...] = ()
    users: tuple[User, ...] = ()
    directories: tuple[StateDirectory, ...] = ()
    documents: tuple[Source, ...] = ()
    manuals: tuple[Source, ...] = ()
    depends: Mapping[Format, tuple[Relation, ...]] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    probe: Probe | None = None
    origin: Origin = field(compare=False)
    schemas_origin: Origin = field(compare=False)
    peers_origin: Origin = field(compare=False)

    @property
    def services(self) -> tuple[Service, ...]:
        """Every service of the package, in the spec's order."""
        return tuple(binary.service for binary in self.binaries if binary.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    """The database half of a release; `steps` stand in the order in which they run.

    With `packaged` false the release has no database package: it changes nothing in a shard, and
    the package of the release before it serves on.
    """

    schema: int
    servers: Window[Version]
    servers_declared: bool = True
    steps: tuple[Step, ...] = ()
    packaged: bool = True
    origin: Origin = field(compare=False)
    servers_origin: Origin = field(compare=False)

    def of(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of one phase, in order."""
        return tuple(step for step in self.steps if step.phase is phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of the product: what its pair of packages is built from.

    `date` (UTC) is the only clock that a build knows. `withdrawn` is the reason why nobody should
    install the release any more; customers may still run it.
    """

    version: Version
    date: date
    revision: int
    changelog: tuple[str, ...]
    server: ServerSpec
    database: DatabaseSpec
    withdrawn: str | None = None
    origin: Origin = field(compare=False)

    @property
    def recommended(self) -> bool:
        """Whether customers go there without being told to: it is final, and not withdrawn."""
        return self.withdrawn is None and self.version.stage is None

    @property
    def server_handshake(self) -> ServerHandshake:
        """What this release's server says of itself."""
        return ServerHandshake(
            version=self.version, schemas=self.server.schemas, peers=self.server.peers
        )

    @property
    def shard_handshake(self) -> ShardHandshake:
        """What a shard says of itself once this release's phases have all run."""
        return ShardHandshake(schema=self.database.schema, servers=self.database.servers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One package format: for which architectures, read by which distributions.

    `compression` is `method` or `method:level` where the spec chooses; None lets the
    distributions decide.
    """

    format: Format
    architectures: tuple[Architecture, ...]
    distributions: tuple[str, ...] = ()
    compression: str | None = None
    origin: Origin = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What all releases of a product share, and the releases in version order.

    `environment` holds the values of the variables that the specs may name.
    """

    name: str
    summary: str
    description: str
    maintainer: str
    homepage: str
    licence: str
    copyright: str
    rollout: RolloutPolicy
    skew: int
    protect: bool
    targets: tuple[Target, ...]
    releases: tuple[Release, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = field(compare=False)

    @property
    def server_package(self) -> str:
        """The name of the server package."""
        return f"{self.name}-server"

    @property
    def database_package(self) -> str:
        """The name of the database package."""
        return f"{self.name}-database"

    @property
    def schema_package(self) -> str:
        """The virtual package that stands for a shard's schema."""
        return f"{self.name}-schema"

    def release(self, version: Version) -> Release:
        """The release of that version; raises KeyError when there is none."""
        for release in self.releases:
            if release.version == version:
                return release
        raise KeyError(str(version))

    def history(self, release: Release) -> tuple[Release, ...]:
        """The releases that this one was built upon, oldest first, itself at the end.

        A hotfix that was released after a later version is in its own history only.
        """
        return history(self.releases, release)
