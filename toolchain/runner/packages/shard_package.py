"""A shard as a local package: its numbers become relations that the host's solver obeys.

The package says of the law what a package database can hold at this moment. Where the installed
server does not fit the shard, the one illegal pair that exists is spared, so that neither this
package nor an upgrade that mends it is refused. What lies further off than the installed server
is refused as before; one that is wrong and no further off is left to the transaction hook.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ..core.errors import ConfigurationError
from ..core.law import Handshake, Server, compatible
from ..core.version import Versions, version_key
from ..core.written import PRODUCT
from .relation import Relation

_REVISION = 1
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_PRODUCT = re.compile(PRODUCT)
# What both dpkg and rpm take as a version with its revision, and what Interlock's packages have.
_FULL_VERSION = re.compile(r"[0-9][0-9A-Za-z.+~]{0,80}-[0-9]{1,9}")
_OWN_VERSION = re.compile(
    r"([0-9]{1,9})\+([0-9][0-9a-z.~]*)(?:\+([0-9][0-9a-z.~]*))?(?:\+spares([0-9A-Za-z.~]+))?-[0-9]+"
)


@dataclass(frozen=True)
class InstalledServer:
    """The server package on this host: what it says of itself, and its version with revision."""

    server: Server
    version: str

    def __post_init__(self) -> None:
        if _FULL_VERSION.fullmatch(self.version) is None:
            raise ConfigurationError(f"{self.version[:60]!r} is not a version of the server")


def packaged(version: str) -> str:
    """A release's version as both package formats write and sort it: `4.3.0~rc1`."""
    return version.replace("-", "~")


@dataclass(frozen=True)
class ShardPackage:
    """The package of one shard; raises ConfigurationError for a name that no package may have."""

    product: str
    shard: str
    handshake: Handshake
    spared: Optional[InstalledServer] = None  # noqa: UP045 - evaluated, and Python is 3.9

    def __post_init__(self) -> None:
        if _PRODUCT.fullmatch(self.product) is None or _NAME.fullmatch(self.shard) is None:
            raise ConfigurationError(
                f"{self.product[:60]!r} and {self.shard[:60]!r} make no package's name"
            )
        servers = self.handshake.servers
        for version in (servers.oldest, servers.below):
            if version is not None:
                version_key(version)
        if not 0 <= self.handshake.schema <= 999_999_999:
            raise ConfigurationError(f"schema {self.handshake.schema} is out of range")

    @property
    def name(self) -> str:
        """The package's name."""
        return f"{prefix(self.product)}{self.shard}"

    @property
    def server_package(self) -> str:
        """The package that brings the agent, and without which this one means nothing."""
        return f"{self.product}-server"

    @property
    def version(self) -> str:
        """One for each content, beginning with the schema; with the revision of its layout."""
        servers = self.handshake.servers
        parts = [str(self.handshake.schema), packaged(servers.oldest)]
        if servers.below is not None:
            parts.append(packaged(servers.below))
        if self.spared is not None:
            parts.append(f"spares{self.spared.version.replace('-', '.').replace('+', '.')}")
        return f"{'+'.join(parts)}-{_REVISION}"

    @property
    def provides(self) -> tuple[Relation, ...]:
        """The schema, where the installed server bears it."""
        spared = self.spared
        if spared is not None and self.handshake.schema not in spared.server.schemas:
            return ()
        return (Relation(f"{self.product}-schema", "=", str(self.handshake.schema)),)

    @property
    def conflicts(self) -> tuple[Relation, ...]:
        """Servers outside the shard's window; the installed one is never among them."""
        servers, server = self.handshake.servers, self.server_package
        oldest, newest = packaged(servers.oldest), ""
        below = "" if servers.below is None else packaged(servers.below)
        if self.spared is not None:
            version = self.spared.server.version
            if version_key(version) < version_key(servers.oldest):
                oldest = packaged(version)
            above = servers.below is not None and version_key(version) >= version_key(servers.below)
            if above or self.handshake.schema < self.spared.server.schemas.oldest:
                # What is newer still would need at least as much of the shard.
                below, newest = "", self.spared.version
        found = [Relation(server, "<", oldest)]
        if below:
            found.append(Relation(server, ">=", below))
        if newest:
            found.append(Relation(server, ">", newest))
        return tuple(found)

    @property
    def schema_conflicts(self) -> tuple[Relation, ...]:
        """Servers whose window the schema lies outside of, said from the shard's side.

        apt names this package as a reason by nothing else; rpm needs them for a schema that is
        not provided.
        """
        schema = self.handshake.schema
        window = None if self.spared is None else self.spared.server.schemas
        oldest = schema if window is None else max(schema, window.oldest)
        found = [Relation(f"{self.server_package}-oldest-schema", ">", str(oldest))]
        if window is None or window.below is None or schema < window.below:
            found.append(Relation(f"{self.server_package}-schema-below", "<=", str(schema)))
        return tuple(found)

    @property
    def summary(self) -> str:
        """One line for people."""
        return f"shard {self.shard} of {self.product}: {self.handshake}"


def shard_package(
    product: str, shard: str, handshake: Handshake, installed: InstalledServer
) -> ShardPackage:
    """The package for a reading on a host with that server."""
    fits = compatible(installed.server, handshake)
    return ShardPackage(product, shard, handshake, None if fits else installed)


def prefix(product: str) -> str:
    """What the names of all shard packages of a product begin with."""
    return f"{product}-shard-"


def read_version(version: str) -> Handshake | None:
    """What a shard package says of its shard, by its version; None for another's package."""
    match = _OWN_VERSION.fullmatch(version)
    if match is None:
        return None
    schema, oldest, below, _ = match.groups()
    try:
        servers = Versions(
            oldest.replace("~", "-"), None if below is None else below.replace("~", "-")
        )
    except ValueError:
        return None
    return Handshake(int(schema), servers)
