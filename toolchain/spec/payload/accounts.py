"""The users that a server package makes, and the directories in which they keep their state."""

from collections.abc import Iterator

from toolchain.model.release import StateDirectory, User
from toolchain.spec.codes import Code
from toolchain.spec.duplicates import check_duplicates
from toolchain.spec.payload.directories import not_own
from toolchain.spec.payload.section import Section


def users(section: Section) -> Iterator[User]:
    """The declared users, each name once."""
    named = []
    for table, path in section.entries("users"):
        named.append((table.text("name"), (*path, "name")))
        yield User(
            name=table.text("name"),
            description=table.text("description"),
            home=table.text("home"),
        )
    check_duplicates(section.document, named, Code.DUPLICATE_NAME)


def directories(section: Section) -> Iterator[StateDirectory]:
    """The declared directories, each path once; notes owners and places that are not its own."""
    named = []
    for table, path in section.entries("directories"):
        named.append((table.text("path"), (*path, "path")))
        for key in ("owner", "group"):
            section.check_owner(table, path, key)
        if section.product.named and section.users is not None:
            complaint = not_own(table.text("path"), section.product.name, section.users)
            if complaint is not None:
                section.document.complain(complaint, (*path, "path"))
        yield StateDirectory(
            path=table.text("path"),
            owner=table.text("owner"),
            group=table.text("group"),
            mode=int(table.text("mode"), 8),
        )
    check_duplicates(section.document, named, Code.DUPLICATE_NAME)
