"""A product opened for work: its model, and readers for what its specs name."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolchain.edge.directory import Directory
from toolchain.edge.listing import list_payload
from toolchain.edge.resources import TemplateFiles, template_reader
from toolchain.errors import SpecError, UsageError
from toolchain.model.change import Script
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.plan.entry import Listed
from toolchain.plan.manifest import SqlReader, SqlText
from toolchain.plan.payload import Listing
from toolchain.spec.load import load_product

_LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProduct:
    """A product without problems, and where it lies."""

    product: Product
    root: Path

    @property
    def templates(self) -> TemplateFiles:
        """The templates of its packages, its own before Interlock's."""
        return template_reader(self.root)

    @property
    def licence_file(self) -> str | None:
        """The name of its licence file; None where it has none."""
        tree = Directory(self.root)
        # `look` follows links only as long as they stay inside the product.
        return next((name for name in _LICENCE_FILES if tree.look(name).kind == "file"), None)

    @property
    def licence_text(self) -> str:
        """The text of its licence file, or one sentence that names the licence."""
        name = self.licence_file
        if name is not None:
            return _readable(self.root / name).decode(errors="replace")
        return f"{self.product.name} is licensed under {self.product.licence}."

    def listing(self) -> Listing:
        """Lists payload sources, each once."""

        @cache
        def read(path: str) -> tuple[Listed, ...]:
            return list_payload(self.root / path)

        return read

    def sql(self) -> SqlReader:
        """Reads SQL files and splits them into statements, each file once."""

        @cache
        def read(script: Script) -> SqlText:
            text = script.text
            content = (self.root / script.name).read_bytes() if text is None else text.encode()
            return SqlText(
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
                statements=_statements(content.decode()),
            )

        return read

    def select(self, versions: tuple[str, ...]) -> tuple[Release, ...]:
        """The named releases, or all that are not withdrawn.

        Raises UsageError on a name that is none.
        """
        if not versions:
            return tuple(each for each in self.product.releases if each.withdrawn is None)
        named = {release.version: release for release in map(self.release, versions)}
        return tuple(named.values())

    def release(self, version: str) -> Release:
        """The release of that version; raises UsageError naming those that exist."""
        known = ", ".join(str(release.version) for release in self.product.releases)
        try:
            return self.product.release(Version.parse(version))
        except ValueError as error:
            raise UsageError(str(error), f"{self.product.name} has {known}") from error
        except KeyError as error:
            raise UsageError(
                f"{self.product.name} has no release {version}", f"it has {known}"
            ) from error


def _readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}", "make it readable") from error


def _statements(text: str) -> tuple[str, ...]:
    from pglast.parser import split  # noqa: PLC0415  (its import costs 50 ms)

    return tuple(split(text))


def open_product(path: Path, environment: Mapping[str, str] = os.environ) -> OpenProduct:
    """Read a product's directory; raises SpecError with every problem of every file."""
    product = load_product(Directory(path), environment)
    return OpenProduct(product=product, root=path)
