"""What the user gave, read: packages and configurations into pairs, migrations into releases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.importer.configurations.read import read_configuration
from toolchain.importer.facts import Facts, Note
from toolchain.importer.git_tags import read_tags
from toolchain.importer.mapping import By, Known, mapped, read_map
from toolchain.importer.migrations.alembic import read_alembic, versions_of
from toolchain.importer.migrations.alembic_offline import offline_sql
from toolchain.importer.migrations.flyway import is_flyway, read_flyway
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.migrations.numbered import read_numbered
from toolchain.importer.migrations.sqitch import plan_of, read_sqitch
from toolchain.importer.packages.folder import latest, package_paths, read_file
from toolchain.importer.pairing import Pairs, paired
from toolchain.importer.versions import UnfitVersionError, release_named
from toolchain.model.version import Version

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What to import and how, as the command line says it."""

    packages: tuple[Path, ...] = ()
    configurations: tuple[Path, ...] = ()
    migrations: Path | None = None
    tool: str = "auto"
    alembic: Path | None = None
    server: str | None = None
    database: str | None = None
    by: By = By.AUTO
    map_file: Path | None = None
    release: Version | None = None
    baseline: Version | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """All that was read: pairs, each release's migrations, the days that are known."""

    pairs: Pairs | None
    folder: Folder | None
    versions: tuple[Version, ...]
    migrations: Mapping[Version, tuple[Migration, ...]]
    days: Mapping[Version, date]
    notes: tuple[Note, ...]


def read_sources(given: Given, processes: Processes, progress: Progress) -> Read:
    """Read everything; raises UsageError and ToolError."""
    if not (given.packages or given.configurations or given.migrations):
        raise UsageError(
            "there is nothing to import", "give --packages, --config or --migrations, or several"
        )
    found, notes = _packages(given, processes, progress)
    pairs = paired(found, given.server, given.database) if found else None
    own = (pairs.server, pairs.database) if pairs is not None else ()
    notes.extend(note for facts in found if facts.name in own for note in facts.notes)
    days = dict(_days(pairs)) if pairs is not None else {}
    folder = None
    migrations: dict[Version, tuple[Migration, ...]] = {}
    versions = {pair.version for pair in pairs.releases} if pairs is not None else set()
    if given.migrations is not None:
        folder = read_folder(given, processes)
        known, more = _known(given, pairs, frozenset(versions), processes)
        days |= {version: day for version, day in more.items() if version not in days}
        for tag, day in folder.days:
            version = (known.listed or {}).get(f"@{tag}") or release_named(tag)
            if version is not None:
                days.setdefault(version, day)
        answer = mapped(folder, known, given.by)
        migrations = dict(answer.migrations)
        notes.append(_placed(folder, known, given, answer.by))
        notes.extend(folder.notes)
    versions |= set(migrations)
    return _from_baseline(
        Read(
            pairs=pairs,
            folder=folder,
            versions=tuple(sorted(versions)),
            migrations=migrations,
            days=days,
            notes=(*notes, *(pairs.notes if pairs is not None else ())),
        ),
        given.baseline,
    )


def _placed(folder: Folder, known: Known, given: Given, by: By) -> Note:
    """How many migrations there are, and what told their releases."""
    rule = f"by {'the map' if known.listed else by.value}"
    unasked = by is By.TOGETHER and given.by is By.AUTO
    if unasked and not known.listed and len(folder.migrations) > 1:
        rule = "all in one release, as nothing says which brought what: see --by and --map"
    text = f"{len(folder.migrations)} migrations of {folder.tool}, {rule}"
    return Note(text=text, where=str(given.migrations), decide=unasked)


def _packages(
    given: Given, processes: Processes, progress: Progress
) -> tuple[tuple[Facts, ...], list[Note]]:
    paths = package_paths(given.packages) if given.packages else []
    found: list[Facts] = []
    notes: list[Note] = []
    named = tuple(filter(None, (given.server, given.database)))
    for at, path in enumerate(paths):
        progress(at, len(paths), path.name)
        try:
            found.append(read_file(path, processes))
        except UnfitVersionError as error:
            # Only packages of the product need a version that a release can have.
            if not named or path.name.startswith(named):
                raise
            notes.append(Note(text=error.message))
    for path in given.configurations:
        found.extend(read_configuration(path, given.values))
    chosen, others = latest(found) if found else ((), ())
    return chosen, [*notes, *others]


def _days(pairs: Pairs) -> list[tuple[Version, date]]:
    return [
        (pair.version, facts.day)
        for pair in pairs.releases
        for facts in reversed((*pair.servers, *pair.databases))
        if facts.day is not None
    ]


def read_folder(given: Given, processes: Processes) -> Folder:
    """The migrations of a folder, by the tool that was named or is recognised."""
    folder = given.migrations
    if folder is None or not folder.is_dir():
        raise UsageError(f"{folder} is no directory", "name the folder with the migrations")
    tool = given.tool if given.tool != "auto" else _recognised(folder)
    if given.alembic is not None and tool != "alembic":
        raise UsageError(f"{folder} is no folder of Alembic", "leave --alembic out")
    match tool:
        case "sqitch":
            return read_sqitch(folder, given.values)
        case "flyway":
            return read_flyway(folder, given.values)
        case "alembic":
            offline = (
                offline_sql(given.alembic, folder, processes) if given.alembic is not None else None
            )
            return read_alembic(folder, offline)
        case _:
            return read_numbered(folder)


def _recognised(folder: Path) -> str:
    if plan_of(folder) is not None:
        return "sqitch"
    if is_flyway(folder):
        return "flyway"
    return "alembic" if versions_of(folder) is not None else "numbered"


def _known(
    given: Given, pairs: Pairs | None, versions: frozenset[Version], processes: Processes
) -> tuple[Known, dict[Version, date]]:
    """What tells releases, beside the migrations themselves."""
    listed, days = read_map(given.map_file) if given.map_file is not None else (None, {})
    tagged: tuple[tuple[Version, frozenset[str]], ...] = ()
    if given.by is By.GIT_TAGS and given.migrations is not None:
        tagged, more = read_tags(given.migrations, processes)
        days = more | days
        if not tagged:
            raise UsageError(
                f"no tag of the repository of {given.migrations} names a release",
                "give --map FILE instead",
            )
    packaged = {
        pair.version: frozenset(
            each.path.rpartition("/")[2] for facts in pair.databases for each in facts.installed
        )
        for pair in (pairs.releases if pairs is not None else ())
    }
    return (
        Known(
            releases=tuple(sorted(versions)),
            packaged=packaged,
            tagged=tagged,
            listed=listed,
            coming=given.release,
        ),
        days,
    )


def _from_baseline(read: Read, baseline: Version | None) -> Read:
    """What came before the baseline becomes the schema that it begins with.

    Without one the chain begins with the oldest package, where there are packages.
    """
    packaged = [pair.version for pair in read.pairs.releases] if read.pairs is not None else []
    if baseline is None and packaged:
        # A release without a package had customers who have long gone on, or none.
        baseline = min(packaged)
    if baseline is None:
        return read
    if baseline not in read.versions:
        raise UsageError(
            f"{baseline} is none of the releases",
            f"give --baseline one of {', '.join(map(str, read.versions[:20]))}",
        )
    before: list[Migration] = []
    for version, migrations in sorted(read.migrations.items()):
        if version <= baseline:
            before.extend(migrations)
    kept = {version: own for version, own in read.migrations.items() if version > baseline}
    gone = [version for version in read.versions if version < baseline]
    notes: Sequence[Note] = ()
    if gone:
        text = f"the chain begins with {baseline}; before it: {', '.join(map(str, gone))}"
        notes = (Note(text=text),)
    return Read(
        pairs=read.pairs,
        folder=read.folder,
        versions=tuple(version for version in read.versions if version >= baseline),
        migrations={baseline: tuple(before), **kept} if before else kept,
        days=read.days,
        notes=(*read.notes, *notes),
    )
