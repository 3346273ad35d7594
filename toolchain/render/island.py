"""The runner inside a package: its files, the command that starts it, and the shards file."""

from collections.abc import Sequence
from functools import cache

from toolchain.plan.entry import Entry, EntryKind, File
from toolchain.plan.package import Package, Role
from toolchain.render.command import CommandText, completion, describe, manual
from toolchain.render.shards_file import example_configuration
from toolchain.render.templates import Templates
from toolchain.runner.core.errors import EXIT_CODES
from toolchain.runner.core.options import Reader
from toolchain.runner.database.arguments import database_parser
from toolchain.runner.server.arguments import server_parser

RunnerFiles = Sequence[tuple[str, bytes]]

_ROOMS = {
    Role.DATABASE: ("core", "ledger", "phases", "database"),
    Role.SERVER: ("core", "packages", "server"),
}


def carries_island(package: Package) -> bool:
    """Every database package does, and a server package whose services are checked at start."""
    return package.role is Role.DATABASE or bool(package.services)


def shards_group(package: Package) -> str:
    """Who may read the shards file besides root: the services, by the first one's group."""
    declared = {user.name for user in package.users}
    users = [service.user for service in package.services if service.user in declared]
    return users[0] if users else "root"


def compiled_rooms(package: Package, files: RunnerFiles) -> tuple[str, ...]:
    """Directories of modules that the package's scripts compile: a server's, which starts often.

    People run a database package's command some times a release, and its installation would take
    longer than that saves.
    """
    if package.role is not Role.SERVER or not carries_island(package):
        return ()
    modules = (path for path, _ in carried(package.role, files) if path.endswith(".py"))
    folders = {f"/{path}".rpartition("/")[0] for path in modules}
    return tuple(f"/usr/lib/{package.name}/runner{folder}" for folder in sorted(folders))


def carried(role: Role, files: RunnerFiles) -> RunnerFiles:
    """What of the runner's files a package has: the rooms that its command can reach."""
    rooms = {"__init__.py", *_ROOMS[role]}
    return tuple(file for file in files if file[0].partition("/")[0] in rooms)


@cache
def _described(name: str, config: str, *, server: bool) -> CommandText:
    """Once for a chain: building and reading a parser takes milliseconds."""
    return describe((server_parser if server else database_parser)(name, config))


def island(package: Package, templates: Templates, files: RunnerFiles) -> tuple[Entry, ...]:
    """The entries of the runner; empty where the package carries none."""
    if not carries_island(package):
        return ()
    name, config = package.name, f"/etc/{package.name}/shards.ini"
    server = package.role is Role.SERVER
    command = _described(name, config, server=server)
    launcher = "common/server-command.j2" if server else "common/database-command.j2"
    return (
        *(
            File(path=f"/usr/lib/{name}/runner/{path}", content=text)
            for path, text in carried(package.role, files)
        ),
        File(
            path=f"/usr/bin/{name}",
            content=templates.render(launcher, package=package).encode(),
            mode=0o755,
        ),
        File(
            path=config,
            content=example_configuration(
                package.product, name, Reader.SERVER if server else Reader.DATABASE
            ).encode(),
            mode=0o640,
            kind=EntryKind.CONFIG,
            group=shards_group(package),
        ),
        File(
            path=f"/usr/share/man/man8/{name}.8.gz",
            content=manual(package, templates, command, EXIT_CODES).encode(),
            kind=EntryKind.DOCUMENT,
            gzip=True,
        ),
        File(
            path=f"/usr/share/bash-completion/completions/{name}",
            content=completion(package, templates, command).encode(),
        ),
    )
