"""What the database packages of some releases carry, laid out for the runner to read."""

from collections.abc import Sequence
from pathlib import Path

from toolchain.model.release import Product, Release
from toolchain.plan.entry import File
from toolchain.plan.manifest import SqlReader, database_files

_MANIFEST = "manifest.json"


def lay_out(product: Product, sql: SqlReader, releases: Sequence[Release], directory: Path) -> None:
    """Write each release's manifest, and the SQL of all of them once, below a directory.

    They are the very bytes that the packages carry, and the runner checks them against the
    checksums in the manifest.
    """
    root = f"/usr/share/{product.database_package}/"
    written: set[str] = set()
    for release in releases:
        for entry in database_files(product, release, sql):
            name = entry.path.removeprefix(root)
            path = manifest_of(release, directory) if name == _MANIFEST else directory / name
            if str(path) in written or not isinstance(entry, File):
                continue
            if not isinstance(entry.content, bytes):
                raise TypeError(f"{entry.path} is no text of a database package")
            written.add(str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)


def manifest_of(release: Release, directory: Path) -> Path:
    """The manifest of a release's own database package."""
    return directory / f"{release.version}.{_MANIFEST}"
