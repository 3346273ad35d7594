"""What a release's own files become in its server package."""

from collections.abc import Callable
from pathlib import PurePosixPath

from toolchain.errors import SpecError
from toolchain.model.release import Architecture, PayloadFile, Release, Source
from toolchain.plan.entry import Directory, Entry, EntryKind, File, Link, Listed, Payload

Listing = Callable[[str], tuple[Listed, ...]]


def payload_entries(
    package: str, release: Release, architecture: Architecture, listing: Listing
) -> list[Entry]:
    """Programs, files, configuration, documents; raises SpecError for another machine's binary."""
    server = release.server
    return [
        *(
            entry
            for item in (*server.binaries, *server.files)
            for entry in _placed(item, architecture, listing)
        ),
        *(
            File(
                path=config.target,
                content=Payload(config.source.path(architecture)),
                mode=config.mode,
                kind=EntryKind.CONFIG,
                group=config.group,
            )
            for config in server.config
        ),
        *_documents(package, release, architecture),
    ]


def _wrong_machine(source: Source, listed: Listed, architecture: Architecture) -> SpecError:
    name = f"{source.path(architecture)}/{listed.path}".rstrip("/")
    return SpecError(
        f"{source.origin}: {name} is a binary for {listed.machine}, "
        f"and the package is for {architecture.value}",
        "give `source` one path for each architecture, and the target those architectures",
    )


def _placed(item: PayloadFile, architecture: Architecture, listing: Listing) -> list[Entry]:
    root = item.source.path(architecture)
    entries: list[Entry] = []
    for listed in listing(root):
        if listed.machine is not None and listed.machine != architecture.value:
            raise _wrong_machine(item.source, listed, architecture)
        path = str(PurePosixPath(item.target, listed.path))
        if listed.is_directory:
            entries.append(Directory(path=path))
        elif listed.link is not None:
            entries.append(Link(path=path, to=listed.link))
        else:
            mode = 0o755 if listed.executable else 0o644
            content = Payload(str(PurePosixPath(root, listed.path)))
            entries.append(File(path=path, content=content, mode=item.mode or mode))
    return entries


def _documents(package: str, release: Release, architecture: Architecture) -> list[Entry]:
    entries: list[Entry] = []
    for source in release.server.documents:
        path = source.path(architecture)
        target = f"/usr/share/doc/{package}/{PurePosixPath(path).name}"
        kind = EntryKind.DOCUMENT
        entries.append(File(path=target, content=Payload(path), kind=kind))
    for source in release.server.manuals:
        path = source.path(architecture)
        name = PurePosixPath(path).name
        target = f"/usr/share/man/man{name.rpartition('.')[2]}/{name}.gz"
        kind = EntryKind.DOCUMENT
        entries.append(File(path=target, content=Payload(path), kind=kind, gzip=True))
    return entries
