"""`release.json`: the numbers of the handshake, in both packages, for people and for the check."""

import json
from typing import Any

from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.model.window import Window


def window_json(window: Window[int] | Window[Version]) -> dict[str, int | str | None]:
    """A window as `oldest` and `below`; schema versions as numbers, releases as strings."""

    def point(value: int | Version | None) -> int | str | None:
        return str(value) if isinstance(value, Version) else value

    return {"oldest": point(window.oldest), "below": point(window.below)}


def handshake_json(product: Product, release: Release) -> dict[str, Any]:
    """The handshake of one release, in the form that the start-up check reads."""
    return {
        "format": 1,
        "product": product.name,
        "release": str(release.version),
        "server": {
            "schema": window_json(release.server.schemas),
            "peers": window_json(release.server.peers),
        },
        "database": {
            "schema": release.database.schema,
            "servers": window_json(release.database.servers),
        },
    }


def release_json(product: Product, release: Release) -> bytes:
    """The handshake of one release as the bytes of `release.json`."""
    return to_json(handshake_json(product, release))


def to_json(value: object) -> bytes:
    """The one way in which packages write JSON: sorted, indented, with a newline at the end."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
