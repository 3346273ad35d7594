"""Servers and databases of each release, told apart by their packages' names."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.errors import UsageError
from toolchain.importer.facts import Facts, Note
from toolchain.model.release import Format
from toolchain.model.version import Version

# How packages of the two sides are usually called, the plainest names first.
_SERVERS = ("-server", "-app", "-web", "-api", "-backend")
_DATABASES = ("-database", "-db", "-schema", "-migrations", "-sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The packages of one release, by format; a side may be missing."""

    version: Version
    servers: tuple[Facts, ...]
    databases: tuple[Facts, ...]

    def server(self, format_: Format) -> Facts | None:
        """The server package of a format."""
        return next((facts for facts in self.servers if facts.format in (format_, None)), None)

    @property
    def main(self) -> Facts | None:
        """The package that files and texts come from: a deb says more of its licence and days."""
        return self.telling[0] if self.servers else None

    @property
    def telling(self) -> tuple[Facts, ...]:
        """All packages of the release, those first that say most."""
        return tuple(
            facts
            for side in (self.servers, self.databases)
            for facts in sorted(side, key=lambda facts: facts.format is Format.RPM)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """All releases in order, with the names of both sides; `database` is empty without one."""

    server: str
    database: str
    releases: tuple[Pair, ...]
    notes: tuple[Note, ...] = ()

    @property
    def stem(self) -> str:
        """What both names have in common, or the server's name without its ending."""
        words = [self.server.split("-"), self.database.split("-")]
        both = [one for one, other in zip(*words, strict=False) if one == other]
        stem = stem_of(self.server)
        common = "-".join(both)
        return common if stem == self.server and self.server.startswith(f"{common}-") else stem


def paired(found: Sequence[Facts], server: str | None, database: str | None) -> Pairs:
    """Pair packages by name; raises UsageError where the names don't tell which is which."""
    names = sorted({facts.name for facts in found})
    # A database package may be known by what servers say of it alone.
    mentioned = {
        clause.name for facts in found for each in facts.relations for clause in each.clauses
    }
    for given, option, known in (
        (server, "--server", set(names)),
        (database, "--database", {*names, *mentioned}),
    ):
        if given is not None and given not in known:
            raise UsageError(
                f"no package is named {given}", f"give {option} one of {', '.join(names[:12])}"
            )
    if database is None:
        database = _one(set(names) - {server}, _DATABASES, server)
    if server is None:
        server = _server(sorted(set(names) - {database}), database)
    versions = sorted({facts.version for facts in found if facts.name in (server, database)})
    releases = tuple(
        Pair(
            version=version,
            servers=_of(found, server, version),
            databases=_of(found, database, version),
        )
        for version in versions
    )
    others = [facts for facts in found if facts.name not in (server, database)]
    notes = [
        Note(
            text=f"{facts.name} is neither {server} nor {database or 'a database'}; not taken",
            where=facts.where,
        )
        for facts in others
    ]
    notes += [
        Note(text=f"release {pair.version} has no package {server}", decide=True)
        for pair in releases
        if not pair.servers
    ]
    return Pairs(server=server, database=database or "", releases=releases, notes=tuple(notes))


def _of(found: Sequence[Facts], name: str | None, version: Version) -> tuple[Facts, ...]:
    return tuple(facts for facts in found if facts.name == name and facts.version == version)


def _server(names: Sequence[str], database: str | None) -> str:
    if not names:
        raise UsageError(
            f"{database} is the only package, and its name is that of a database",
            f"give packages of the server as well, or --server {database}",
        )
    if len(names) == 1:
        return names[0]
    stem = stem_of(database, _DATABASES) if database else None
    chosen = _one(set(names), ("", *_SERVERS), None, stem)
    if chosen is None and all(name.startswith(f"{names[0]}-") for name in names[1:]):
        chosen = names[0]  # beside its -devel, -doc and the like
    if chosen is None:
        raise UsageError(
            f"the names {', '.join(names[:12])} don't say which package is the server",
            "name it with --server NAME, and the one with the schema with --database NAME",
        )
    return chosen


def _one(
    names: set[str], endings: Sequence[str], beside: str | None, stem: str | None = None
) -> str | None:
    """The one name with the plainest of the endings; None where there is none or are several."""
    if stem is None and beside is not None:
        stem = stem_of(beside, _SERVERS)
    for ending in endings:
        if stem is not None:
            if stem + ending in names:
                return stem + ending
            continue
        fitting = sorted(name for name in names if ending and name.endswith(ending))
        if len(fitting) == 1:
            return fitting[0]
    return None


def stem_of(name: str, endings: Sequence[str] = (*_SERVERS, *_DATABASES)) -> str:
    """A package's name without the ending that tells its side."""
    for ending in endings:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name
