"""The `server` section of a release: its sound entries, and who may own what it installs."""

from collections.abc import Iterator

from toolchain.spec.document import Document
from toolchain.spec.located.node import Items, Node, Path, Table, as_table, node_at
from toolchain.spec.payload.services import check_owner
from toolchain.spec.product import ProductFacts


class Section:
    """One release's section; `users` are those that it declares, None where they are not sound."""

    def __init__(self, document: Document, product: ProductFacts) -> None:
        self.document = document
        self.product = product
        self.table = document.section("server")
        self.users: frozenset[str] | None = None
        if document.sound(("server", "users")):
            self.users = frozenset(user.text("name") for user in self.table.tables("users"))

    def nodes(self, *keys: str) -> Iterator[tuple[Node, Path]]:
        """The sound items of a list of this section, with their paths."""
        path: Path = ("server", *keys)
        node = node_at(self.table, keys)
        if isinstance(node, Items):
            for at, item in enumerate(node.nodes):
                if self.document.sound((*path, at)):
                    yield item, (*path, at)

    def entries(self, key: str) -> Iterator[tuple[Table, Path]]:
        """The same for a list of mappings."""
        for node, path in self.nodes(key):
            yield as_table(node), path

    def check_owner(self, table: Table, path: Path, key: str) -> None:
        """Note an owner that no host would know."""
        if self.users is not None:
            check_owner(self.document, table, path, key, self.users | {"root"})
