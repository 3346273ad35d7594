"""A product's packages of one format and architecture, each beside what the law knows of it."""

from collections.abc import Callable
from dataclasses import dataclass

from toolchain.model.carried import PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.plan.relations import oldest_schema_name, schema_below_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The package names that the law binds; the product's usual ones, or those of the options."""

    product: str
    server_package: str
    database_package: str
    schema_package: str

    @classmethod
    def usual(cls, product: str) -> "Names":
        """The names that Interlock's own packages have."""
        return cls(
            product=product,
            server_package=f"{product}-server",
            database_package=f"{product}-database",
            schema_package=f"{product}-schema",
        )

    @property
    def all(self) -> frozenset[str]:
        """The names whose relations mean something to the law."""
        return frozenset(
            (
                self.server_package,
                self.database_package,
                self.schema_package,
                oldest_schema_name(self.server_package),
                schema_below_name(self.server_package),
            )
        )

    def shard_package(self, name: str) -> str:
        """The local package that carries a remote shard's live numbers."""
        return f"{self.product}-shard-{name}"

    def is_shard(self, name: str) -> bool:
        """Whether this is the name of such a package."""
        return name.startswith(self.shard_package(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHalf:
    """A server package, and the handshake that the law judges it by."""

    file: PackageFile
    says: ServerHandshake

    @property
    def release(self) -> Version:
        """The release that it belongs to."""
        return self.says.version


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHalf:
    """A database package, its release, and what the law says of a shard at that release."""

    file: PackageFile
    release: Version
    says: ShardHandshake


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one pool of packages is asked about: a product, a format, an architecture.

    Halves stand in the order of their releases. `states` are those that a remote shard can be
    in, the half-way ones included; `others` are packages of other names.
    """

    names: Names
    format: Format
    architecture: str
    servers: tuple[ServerHalf, ...]
    databases: tuple[DatabaseHalf, ...]
    states: tuple[ShardHandshake, ...]
    others: tuple[PackageFile, ...] = ()

    @property
    def files(self) -> tuple[PackageFile, ...]:
        """Every package of the product in this case."""
        return (
            *(half.file for half in self.servers),
            *(half.file for half in self.databases),
        )


Report = Callable[[int, int, str], None]
