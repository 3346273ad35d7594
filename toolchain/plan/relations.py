"""The relations of a pair, derived from the law and written in no format yet.

A window becomes Conflicts with everything outside it, never a Depends: a Depends on a virtual
package is satisfied by some provider, a Conflicts binds every provider, and the law speaks of
every shard.

A server says its window over the schema twice, once to be conflicted with: apt names a package
among its reasons only where that package's own relation is broken, and so a shard package repeats
the law from its side.
"""

from typing import Protocol

from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Operator, Relation, RelationKind
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.model.window import Window


class Names(Protocol):
    """Whatever knows how the packages are called: a product, or the options of a command."""

    @property
    def server_package(self) -> str:
        """The name of the server package."""
        ...

    @property
    def schema_package(self) -> str:
        """The virtual package that stands for a shard's schema."""
        ...


def oldest_schema_name(server_package: str) -> str:
    """The virtual package whose version is the oldest schema that a server works with."""
    return f"{server_package}-oldest-schema"


def schema_below_name(server_package: str) -> str:
    """The virtual package whose version is the first schema that a server promises to refuse."""
    return f"{server_package}-schema-below"


def _outside(name: str, oldest: str | None, below: str | None) -> tuple[Relation, ...]:
    bounds = ((Operator.EARLIER, oldest), (Operator.LATER_OR_EQUAL, below))
    return tuple(
        Relation(kind=RelationKind.CONFLICTS, name=name, operator=operator, version=bound)
        for operator, bound in bounds
        if bound is not None
    )


def schema_conflicts(product: Names, schemas: Window[int]) -> tuple[Relation, ...]:
    """What a server package refuses: every provider of a schema outside its window."""
    below = None if schemas.below is None else str(schemas.below)
    return _outside(product.schema_package, str(schemas.oldest), below)


def schema_bounds(product: Names, schemas: Window[int]) -> tuple[Relation, ...]:
    """The same window as a shard package can conflict with it."""
    bounds = (
        (oldest_schema_name(product.server_package), schemas.oldest),
        (schema_below_name(product.server_package), schemas.below),
    )
    return tuple(
        Relation(kind=RelationKind.PROVIDES, name=name, operator=Operator.EQUAL, version=str(bound))
        for name, bound in bounds
        if bound is not None
    )


def server_conflicts(product: Names, servers: Window[Version]) -> tuple[Relation, ...]:
    """What a database package refuses: servers outside its window."""
    below = None if servers.below is None else servers.below.packaged
    return _outside(product.server_package, servers.oldest.packaged, below)


def server_relations(product: Product, release: Release) -> tuple[Relation, ...]:
    """The law's relations of the server package."""
    return window_relations(product, release.server.schemas)


def window_relations(product: Names, schemas: Window[int]) -> tuple[Relation, ...]:
    """A server's window over the schema, in both directions."""
    return (*schema_bounds(product, schemas), *schema_conflicts(product, schemas))


def database_relations(product: Product, release: Release) -> tuple[Relation, ...]:
    """The law's relations of the database package: what it provides, and what it refuses."""
    return shard_relations(product, release.shard_handshake)


def shard_relations(product: Names, shard: ShardHandshake) -> tuple[Relation, ...]:
    """The relations of whatever stands for a shard: a database package, a shard package."""
    provided = Relation(
        kind=RelationKind.PROVIDES,
        name=product.schema_package,
        operator=Operator.EQUAL,
        version=str(shard.schema),
    )
    return (provided, *server_conflicts(product, shard.servers))
