"""Which law a package stands under: its own handshake, or the release of a spec."""

from toolchain.model.release import Product, Release
from toolchain.plan.packaged_handshake import HandshakeError, read_handshake, release_of

__all__ = ["HandshakeError", "epoch_of", "read_handshake", "release_in", "release_of"]


def epoch_of(package_version: str) -> int:
    """The epoch of a package's version in either format; 0 where none is written."""
    epoch, colon, _ = package_version.partition(":")
    return int(epoch) if colon and epoch.isdecimal() else 0


def release_in(product: Product, package_version: str) -> Release | None:
    """The spec's release for a package's version, None where there is none."""
    version = release_of(package_version)
    return next((one for one in product.releases if one.version == version), None)
