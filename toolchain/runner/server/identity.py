"""Whether a package that claims a name or a Provides of this product may: a foreign one may not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.errors import ConfigurationError, Refused
from ..packages.package_file import PackageFile
from .release_file import ServerRelease, parse_server_release


@dataclass(frozen=True)
class Names:
    """The names that belong to one product."""

    product: str

    @property
    def server(self) -> str:
        """The server package."""
        return f"{self.product}-server"

    @property
    def database(self) -> str:
        """The database package."""
        return f"{self.product}-database"

    @property
    def schema(self) -> str:
        """What a database package and a shard package provide."""
        return f"{self.product}-schema"

    def shard(self, name: str) -> str | None:
        """The shard that a shard package of this name stands for, None for any other package."""
        prefix = f"{self.product}-shard-"
        return name[len(prefix) :] if name.startswith(prefix) else None


def check_identity(package: PackageFile, names: Names) -> ServerRelease | None:
    """What a server package says of itself, None for all other packages that may come in.

    Raises Refused for a package that claims what is not its own.
    """
    if names.shard(package.name) is not None:
        # The agent's own go in by dpkg or rpm, and no repository may offer one.
        raise Refused(
            f"{package.name} {package.version} claims to be a shard's package, which only the agent"
            " of this host makes",
            f"take it out of the transaction; '{names.server} sync' makes the right ones",
        )
    if package.name in (names.server, names.database):
        release = _release(package, names)
        return release if package.name == names.server else None
    if names.schema in package.provides:
        raise Refused(
            f"{package.name} {package.version} provides {names.schema}, and is no package of"
            f" {names.product}",
            "take it out of the transaction",
        )
    return None


def _release(package: PackageFile, names: Names) -> ServerRelease:
    what = f"{package.name} {package.version}"
    cure = f"install a {package.name} from the repository of {names.product}"
    content = package.read(f"/usr/share/{package.name}/release.json")
    if content is None:
        raise Refused(f"{what} does not say which schema it needs: it has no release.json", cure)
    try:
        release = parse_server_release(content, f"release.json of {what}")
    except ConfigurationError as error:
        raise Refused(error.message, cure) from error
    if release.product != names.product:
        raise Refused(f"{what} is a package of {release.product}, by its release.json", cure)
    # Before a release both package managers write "~" where the spec writes "-".
    packaged = re.escape(release.server.version.replace("-", "~"))
    if re.fullmatch(rf"{packaged}(-[^-]*)?", package.version) is None:
        raise Refused(f"{what} is release {release.server.version}, by its release.json", cure)
    return release
