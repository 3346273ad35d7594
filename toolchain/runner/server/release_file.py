"""What a server package says of itself: `release.json`, written when it was built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.document import Value, parse_document, read_document
from ..core.law import Server
from ..core.version import Schemas
from ..core.written import PRODUCT, read_version, read_versions

FORMAT = 1


@dataclass(frozen=True)
class ServerRelease:
    """A product's server as installed on this host."""

    product: str
    server: Server

    @property
    def package(self) -> str:
        """The server package's name."""
        return f"{self.product}-server"


def read_server_release(path: Path) -> ServerRelease:
    """Read and check a release.json; raises ConfigurationError with one sentence."""
    return _read(read_document(path, "release file"))


def parse_server_release(content: bytes, file: str) -> ServerRelease:
    """Check the content of a release.json that stands in `file`; raises as the reading does."""
    return _read(parse_document(content, file, "release file"))


def _read(document: Value) -> ServerRelease:
    if isinstance(document.raw, dict) and document.raw.get("format") != FORMAT:
        raise document.error(f"its format is not {FORMAT}, the one that this check reads")
    # What the pair's database half says matters to others than the server itself.
    _, product, release, server, _ = document.fields(
        "format", "product", "release", "server", "database"
    )
    return _release(product, release, server)


def read_release(recorded: Value) -> ServerRelease:
    """Read what `release_data` wrote; raises ConfigurationError."""
    return _release(*recorded.fields("product", "release", "server"))


def release_data(release: ServerRelease) -> dict[str, object]:
    """A release as JSON has it, without the database half."""
    schemas, peers = release.server.schemas, release.server.peers
    return {
        "product": release.product,
        "release": release.server.version,
        "server": {
            "schema": {"oldest": schemas.oldest, "below": schemas.below},
            "peers": {"oldest": peers.oldest, "below": peers.below},
        },
    }


def _release(product: Value, release: Value, server: Value) -> ServerRelease:
    schema, peers = server.fields("schema", "peers")
    return ServerRelease(
        product.text(PRODUCT),
        Server(read_version(release), _schemas(schema), read_versions(peers)),
    )


def _schemas(value: Value) -> Schemas:
    oldest, below = value.fields("oldest", "below")
    try:
        return Schemas(oldest.whole(), below.whole_or_none())
    except ValueError as error:
        raise value.error(str(error)) from error
