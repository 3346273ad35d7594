"""Which migration belongs to which release: told by a file, tags, versions or packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.texts import read_text, refuse
from toolchain.importer.versions import release_named
from toolchain.model.version import Version
from toolchain.spec.wording import show


class By(Enum):
    """What tells the release of a migration."""

    AUTO = "auto"
    VERSIONS = "versions"
    TAGS = "tags"
    GIT_TAGS = "git-tags"
    PACKAGES = "packages"
    TOGETHER = "together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of releases besides the migrations.

    `packaged` holds the names of the files of each release's database package, `tagged` the paths
    of migrations by git tag, oldest tag first, `listed` what a map file says.
    """

    releases: tuple[Version, ...] = ()
    packaged: Mapping[Version, frozenset[str]] | None = None
    tagged: tuple[tuple[Version, frozenset[str]], ...] = ()
    listed: Mapping[str, Version] | None = None
    coming: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The migrations of each release, in order, and the rule that was taken."""

    migrations: Mapping[Version, tuple[Migration, ...]]
    by: By


def read_map(path: Path) -> tuple[dict[str, Version], dict[Version, date]]:
    """The map file: MIGRATION RELEASE [YYYY-MM-DD] a line; raises UsageError.

    `@TAG` in the place of a migration speaks of all that sqitch deploys up to that tag.
    """
    releases: dict[str, Version] = {}
    days: dict[Version, date] = {}
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        version = release_named(words[1]) if len(words) in (2, 3) else None
        if version is None:
            raise refuse(
                str(path),
                number,
                f"{show(raw)} is no entry",
                "write MIGRATION RELEASE [YYYY-MM-DD]",
            )
        if words[0] in releases:
            raise refuse(str(path), number, f"{show(words[0])} stands twice", "take one out")
        releases[words[0]] = version
        if len(words) == 3:
            try:
                days[version] = date.fromisoformat(words[2])
            except ValueError:
                raise refuse(
                    str(path), number, f"{show(words[2])} is no day", "write YYYY-MM-DD"
                ) from None
    return releases, days


def mapped(folder: Folder, known: Known, by: By) -> Mapped:
    """The migrations by release; raises UsageError where nothing tells or the order breaks."""
    rule = _rule(folder, known) if by is By.AUTO else by
    listed = dict(known.listed or {})
    tags = {f"@{migration.tag}" for migration in folder.migrations if migration.tag}
    tagged = {tag: listed.pop(tag) for tag in sorted(tags & set(listed))}
    found: dict[str, Version] = {}
    previous: Version | None = None
    for migration in folder.migrations:
        own = listed.pop(migration.key, None) or listed.pop(migration.path, None)
        own = own or tagged.get(f"@{migration.tag}")
        if own is None and not migration.last:
            own = _release(migration, known, rule, previous)
        if own is not None:
            if previous is not None and own < previous and not migration.last:
                raise UsageError(
                    f"{migration.where} belongs to {own} and comes after a migration of {previous}",
                    "say to which release it belongs with --map",
                )
            found[migration.key] = previous = own
    if listed:
        raise UsageError(
            f"the map names {show(sorted(listed)[0])}, which is no migration of {folder.tool} here",
            "mend the name, or take the line out",
        )
    newest = max((*found.values(), *known.releases), default=known.coming or Version(1, 0, 0))
    grouped: dict[Version, list[Migration]] = {}
    for migration in folder.migrations:
        grouped.setdefault(found.get(migration.key, newest), []).append(migration)
    return Mapped(migrations={v: tuple(m) for v, m in sorted(grouped.items())}, by=rule)


def _rule(folder: Folder, known: Known) -> By:
    if any(migration.tag for migration in folder.migrations):
        return By.TAGS
    if known.tagged:
        return By.GIT_TAGS
    names = {migration.path.rpartition("/")[2] for migration in folder.migrations}
    if known.packaged and names <= frozenset().union(*known.packaged.values()):
        return By.PACKAGES
    if _are_releases(folder, known):
        return By.VERSIONS
    if known.listed is None and len(known.releases) > 1:
        raise UsageError(
            f"nothing says which of the {len(known.releases)} releases each of the"
            f" {len(folder.migrations)} migrations of {folder.tool} belongs to",
            "give --map FILE with a line MIGRATION RELEASE for each, or --by git-tags; with"
            " --by together all of them make the schema of the oldest release",
        )
    return By.TOGETHER


def _are_releases(folder: Folder, known: Known) -> bool:
    """Whether the numbers of migrations are releases; `V2024.05.04.1200` is a moment."""
    numbers = [migration.numbers for migration in folder.migrations if not migration.last]
    if any(len(each) < 3 for each in numbers):
        return False
    packaged = {(each.major, each.minor, each.patch) for each in known.releases}
    return not packaged or any(each[:3] in packaged for each in numbers)


def _release(
    migration: Migration, known: Known, rule: By, previous: Version | None
) -> Version | None:
    match rule:
        case By.TOGETHER | By.AUTO:
            return previous or min(known.releases, default=known.coming or Version(1, 0, 0))
        case By.TAGS:
            version = release_named(migration.tag) if migration.tag else None
            if migration.tag and version is None:
                raise UsageError(
                    f"{migration.where}: its tag {show(migration.tag)} names no release",
                    f"write the line '@{migration.tag} X.Y.Z' into a file, and give that as --map",
                )
            return version or _coming(known, previous)
        case By.GIT_TAGS:
            for version, paths in known.tagged:
                if migration.path in paths:
                    return version
            return _coming(known, previous)
        case By.PACKAGES:
            name = migration.path.rpartition("/")[2]
            for version, names in sorted((known.packaged or {}).items()):
                if name in names:
                    return version
            return _coming(known, previous)
        case By.VERSIONS:
            if not migration.numbers:
                raise UsageError(
                    f"{migration.where} has no version in its name",
                    "say to which release it belongs with --map",
                )
            major, minor, patch = (*migration.numbers, 0, 0)[:3]
            return Version(major, minor, patch)


def _coming(known: Known, previous: Version | None) -> Version:
    """The release for what no release has brought yet; raises UsageError where it has no name."""
    if known.coming is None:
        raise UsageError(
            "some migrations belong to no release yet",
            "name the release that will bring them with --release X.Y.Z",
        )
    if previous is not None and known.coming < previous:
        raise UsageError(
            f"--release {known.coming} is older than {previous}", "name the release that comes next"
        )
    return known.coming
