"""Fleetdesk as it is operated: its own database packages and start-up checks before real shards."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres.runner.packages import Package, Server
from toolchain.build.product import OpenProduct, open_product
from toolchain.plan.entry import File
from toolchain.plan.handshake import release_json
from toolchain.plan.manifest import database_files

PRODUCT = Path(__file__).parents[2] / "release-specs" / "fleetdesk"


@dataclass(kw_only=True)
class FleetdeskSite:
    """Shards by name, with their dsn, and what stands before them; `folder` is the site's own."""

    folder: Path
    shards: dict[str, str]
    opened: OpenProduct = field(default_factory=lambda: open_product(PRODUCT))

    def package(self, version: str) -> Package:
        """The release's database package, with the files that the builder gives it."""
        product, folder = self.opened.product, self.folder / f"database-{version}"
        root = f"/usr/share/{product.database_package}"
        release = self.opened.release(version)
        for entry in database_files(product, release, self.opened.sql()):
            assert isinstance(entry, File)
            assert isinstance(entry.content, bytes)
            path = folder / Path(entry.path).relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
        return Package(folder, (), self.shards, product=product.name)

    def register(self, host: str, version: str, *, instance: str = "web", **settings: str) -> None:
        """Start a server on a host, as far as the shards hear of it."""
        lines = "".join(f"{name} = {text}\n" for name, text in settings.items())
        folder = self.folder / f"{host}-{version}"
        check = Server(folder, version, self.shards, host=host, settings=lines)
        content = release_json(self.opened.product, self.opened.release(version))
        (folder / "release.json").write_bytes(content)
        done = check.run("register", "--instance", instance)
        assert done.code == 0, done
