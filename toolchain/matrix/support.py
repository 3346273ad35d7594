"""How long a release works with later versions: the law, asked along the calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from toolchain.model.law import compatible
from toolchain.model.origin import Origin
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The earliest later version that does not fit; `sentence` is a clause without a full stop."""

    release: Version
    date: date
    sentence: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A release's two halves; None where one fits every later version.

    `server` is the end of the server on later databases, `database` that of a shard at this
    release under later servers. A hotfix of an older branch may have ended before it came out.
    Withdrawn releases and pre-releases end nothing, since no rollout goes to them.
    """

    release: Version
    server: Refused | None
    database: Refused | None


def support(product: Product) -> tuple[Support, ...]:
    """The ends of every release, in version order."""
    ordered = sorted(product.releases, key=lambda each: (each.date, each.version))
    return tuple(
        Support(
            release=release.version,
            server=next((_server_ends(release, after) for after in _later(ordered, release)
                         if not _fit(release, after)), None),
            database=next((_database_ends(release, after) for after in _later(ordered, release)
                           if not _fit(after, release)), None),
        )
        for release in product.releases
    )  # fmt: skip


def _later(ordered: list[Release], release: Release) -> Iterator[Release]:
    return (after for after in ordered if after.version > release.version and after.recommended)


def _fit(server: Release, database: Release) -> bool:
    return compatible(server.server_handshake, database.shard_handshake)


def _server_ends(release: Release, after: Release) -> Refused:
    if release.version not in after.database.servers:
        return _refused(
            after,
            f"database {after.version} accepts servers {after.database.servers},"
            f" and {release.version} is not among them",
            after.database.servers_origin,
        )
    return _refused(
        after,
        f"server {release.version} runs on schemas {release.server.schemas},"
        f" and database {after.version} brings schema {after.database.schema}",
        release.server.schemas_origin,
    )


def _database_ends(release: Release, after: Release) -> Refused:
    if release.database.schema not in after.server.schemas:
        return _refused(
            after,
            f"server {after.version} runs on schemas {after.server.schemas},"
            f" and a shard at {release.version} has schema {release.database.schema}",
            after.server.schemas_origin,
        )
    return _refused(
        after,
        f"database {release.version} accepts servers {release.database.servers},"
        f" and {after.version} is not among them",
        release.database.servers_origin,
    )


def _refused(after: Release, sentence: str, origin: Origin) -> Refused:
    return Refused(release=after.version, date=after.date, sentence=sentence, origin=origin)
