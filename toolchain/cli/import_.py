"""`interlock import`: a product from packages, configurations and migrations that exist."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import echo_json, json_option, verbose_option
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.importer.run import Imported
    from toolchain.model.version import Version

_TOOLS = ("auto", "flyway", "sqitch", "alembic", "numbered")
_RULES = ("auto", "versions", "tags", "git-tags", "packages", "together")
_EXISTING = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--packages",
    type=_EXISTING,
    multiple=True,
    help="A repository or folder with debs and rpms of several releases, or one package.",
)
@click.option(
    "--config",
    "configurations",
    type=_EXISTING,
    multiple=True,
    help="What packages are made from: nfpm.yaml, a script or Makefile with fpm, NAME.fpm, debian/,"
    " a tree with DEBIAN/control, a .spec.",
)
@click.option("--migrations", type=_FOLDER, help="The folder of a migration tool.")
@click.option("--tool", type=click.Choice(_TOOLS), default="auto", help="The tool; recognised.")
@click.option(
    "--alembic",
    type=_FILE,
    help="The program alembic, to write the SQL of its revisions. It runs the folder's env.py.",
)
@click.option(
    "--server",
    metavar="NAME",
    help="The name of the packages with the server; without packages, that of its program.",
)
@click.option("--database", metavar="NAME", help="The name of the packages with the database.")
@click.option("--name", help="The product's name; the server's without its ending when left out.")
@click.option(
    "--by",
    "rule",
    type=click.Choice(_RULES),
    default="auto",
    help="What tells the release of a migration.",
)
@click.option(
    "--map",
    "map_file",
    type=_FILE,
    help="Lines MIGRATION RELEASE [DATE], which come first; @TAG is all up to a tag of sqitch.",
)
@click.option("--release", metavar="X.Y.Z", help="The release of what no release has brought yet.")
@click.option(
    "--baseline", metavar="X.Y.Z", help="The oldest release to keep; it begins the chain."
)
@click.option(
    "--define",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of a placeholder, variable or macro.",
)
@click.option("--payload", is_flag=True, help="Copy the server's files into the product.")
@click.option("--refactor", is_flag=True, help="Declare refactorings where they are plain.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@json_option
@verbose_option
def command(
    directory: Path,
    packages: tuple[Path, ...],
    configurations: tuple[Path, ...],
    migrations: Path | None,
    tool: str,
    alembic: Path | None,
    server: str | None,
    database: str | None,
    name: str | None,
    rule: str,
    map_file: Path | None,
    release: str | None,
    baseline: str | None,
    values: tuple[str, ...],
    payload: bool,
    refactor: bool,
    dry_run: bool,
    as_json: bool,
    verbose: bool,  # noqa: ARG001  (main reads it where an error ends)
) -> None:
    """Make a product in DIRECTORY, which must not exist yet, from what a company has.

    Nothing of the sources is run, unless --alembic says so. Exits with 0 where the product passes
    `check`, and with 1 where something is left to do; then the list is printed.
    """
    from toolchain.cli.progress import activity  # noqa: PLC0415
    from toolchain.edge.process import Processes  # noqa: PLC0415
    from toolchain.importer.mapping import By  # noqa: PLC0415
    from toolchain.importer.run import Target, import_product  # noqa: PLC0415
    from toolchain.importer.sources import Given  # noqa: PLC0415

    about_migrations = (map_file, alembic, rule != "auto", tool != "auto", release, refactor)
    if migrations is None and any(about_migrations):
        raise UsageError(
            "--map, --alembic, --by, --tool, --release and --refactor are about migrations",
            "give --migrations as well",
        )
    if not (packages or configurations) and any((database, payload)):
        raise UsageError(
            "--database and --payload are about packages",
            "give --packages or --config as well",
        )
    given = Given(
        packages=packages,
        configurations=configurations,
        migrations=migrations,
        tool=tool,
        alembic=alembic,
        server=server,
        database=database,
        by=By(rule),
        map_file=map_file,
        release=_version(release, "--release"),
        baseline=_version(baseline, "--baseline"),
        values=dict(map(_assigned, values)),
    )
    target = Target(
        directory=directory, name=name, payload=payload, refactor=refactor, dry_run=dry_run
    )
    today = datetime.now(tz=UTC).date()
    with activity("Reading") as progress, Processes() as processes:
        imported = import_product(given, target, today, processes, progress)
    if as_json:
        from toolchain.cli.import_text import as_data  # noqa: PLC0415

        echo_json(as_data(imported, directory, written=not dry_run))
    else:
        _tell(imported, directory, dry_run=dry_run)
    sys.exit(1 if imported.checked.problems else 0)


def _tell(imported: "Imported", directory: Path, *, dry_run: bool) -> None:
    from toolchain.cli.import_text import as_text  # noqa: PLC0415

    click.echo(as_text(imported), nl=False)
    shown = shlex.quote(str(directory))
    if dry_run:
        click.echo(f"nothing was written; without --dry-run it goes to {shown}", err=True)
    else:
        click.echo(f"{shown} holds the product {imported.product}", err=True)
        click.echo(f"try: interlock check {shown}", err=True)


def _version(text: str | None, option: str) -> "Version | None":
    if text is None:
        return None
    from toolchain.importer.versions import release_of  # noqa: PLC0415

    return release_of(text, option)


def _assigned(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--define {text!r} gives no value", "write --define NAME=VALUE")
    return name, value
