"""What a package says of its release: its `release.json`, read, and its version."""

import re
from collections.abc import Mapping
from typing import Any

from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window


class HandshakeError(ValueError):
    """A release.json that says nothing that can be relied on; the text says what."""


def read_handshake(document: object) -> tuple[str, ServerHandshake, ShardHandshake]:
    """The product and both handshakes of a `release.json`; raises HandshakeError."""
    try:
        product, release = _text(document, "product"), Version.parse(_text(document, "release"))
        server, database = _part(document, "server"), _part(document, "database")
        says = ServerHandshake(
            version=release,
            schemas=_schemas(_part(server, "schema")),
            peers=_versions(_part(server, "peers")),
        )
        shard = ShardHandshake(
            schema=_number(database.get("schema")), servers=_versions(_part(database, "servers"))
        )
    except (KeyError, TypeError) as error:
        raise HandshakeError(f"its release.json lacks {error}") from error
    except ValueError as error:
        raise HandshakeError(f"its release.json says: {error}") from error
    return product, says, shard


def _part(document: object, key: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or not isinstance(document.get(key), Mapping):
        raise KeyError(key)
    part: Mapping[str, Any] = document[key]
    return part


def _text(document: object, key: str) -> str:
    if not isinstance(document, Mapping) or not isinstance(document.get(key), str):
        raise KeyError(key)
    return str(document[key])


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a schema version")
    return value


def _schemas(part: Mapping[str, Any]) -> Window[int]:
    below = part.get("below")
    return Window(_number(part["oldest"]), None if below is None else _number(below))


def _versions(part: Mapping[str, Any]) -> Window[Version]:
    below = part.get("below")
    return Window(
        Version.parse(str(part["oldest"])), None if below is None else Version.parse(str(below))
    )


# [epoch:]upstream[-revision]; both formats agree on that much.
_PACKAGE_VERSION = re.compile(r"(?:[0-9]+:)?([^:]+?)(?:-[^-]+)?")


def release_of(package_version: str) -> Version | None:
    """The release that a package's version names, None where it is no release of ours."""
    match = _PACKAGE_VERSION.fullmatch(package_version)
    if match is None:
        return None
    try:
        return Version.parse(match[1].replace("~", "-"))
    except ValueError:
        return None
