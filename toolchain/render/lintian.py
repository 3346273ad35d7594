"""Which findings of lintian are meant, and why; shipped as the package's overrides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from toolchain.plan.entry import Entry, EntryKind, File
from toolchain.plan.package import Package, Role

_APT = (
    ("sources", "/etc/apt/sources.list.d/", "It is what the package is for."),
    ("preferences", "/etc/apt/preferences.d/", "It speaks of this product's own packages alone."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One lintian tag that the package carries on purpose."""

    tag: str
    reason: str


def _undocumented(entries: Sequence[Entry]) -> list[str]:
    """Names of commands without a manual page among the package's files."""
    names = {PurePosixPath(entry.path) for entry in entries if isinstance(entry, File)}
    manuals = {path.name.split(".")[0] for path in names if "man" in path.parts}
    commands = (path for path in names if str(path.parent) in {"/usr/bin", "/usr/sbin"})
    return sorted(
        f"{path.parent.name}/{path.name}" for path in commands if path.name not in manuals
    )


def overrides(package: Package, entries: Sequence[Entry]) -> tuple[Override, ...]:
    """The overrides that this package and its files need, each with its reason."""
    found = [
        Override(
            tag="malformed-deb-archive * data.tar.zst *",
            reason="Debian's own archive takes no zstd; the distributions of this target read it.",
        ),
        Override(
            tag="initial-upload-closes-no-bugs *",
            reason="The product's own repositories take no uploads of Debian's kind.",
        ),
    ]
    if package.protect:
        found.append(
            Override(
                tag="unknown-field Protected",
                reason="dpkg 1.20.1 and apt 2.3 know it: no solver removes the package by itself.",
            )
        )
    if package.role is Role.REPOSITORY:
        found += [
            Override(tag=f"package-installs-apt-{kind} [{entry.path[1:]}]", reason=reason)
            for entry in entries
            for kind, place, reason in _APT
            if isinstance(entry, File) and entry.path.startswith(place)
        ]
    if package.services:
        found.append(
            Override(
                tag="maintainer-script-calls-systemctl *",
                reason="deb-systemd-invoke starts no static unit, and the agent's timer is one.",
            )
        )
        found.append(
            Override(
                tag="command-with-path-in-maintainer-script /usr/bin/python3 *",
                reason="It compiles for the Python that the command names, whatever PATH has.",
            )
        )
    found += [
        Override(
            tag=f"no-manual-page [usr/{command}]",
            reason="Manual pages are the product's to bring, by `manuals` in its spec.",
        )
        for command in _undocumented(entries)
    ]
    found += [
        Override(
            tag=f"non-standard-file-perm {entry.mode:04o} != 0644 [{entry.path[1:]}]",
            reason="The spec gives this file to the group of its service and to nobody else.",
        )
        for entry in entries
        if isinstance(entry, File) and entry.kind is EntryKind.CONFIG and entry.mode != 0o644
    ]
    return tuple(found)
