"""`interlock capture`: a server's statements, from what a staging database has counted."""

import sys
from pathlib import Path

import click

from toolchain.cli.options import echo_json, json_option

_SHOWN = 500  # characters of a statement that was left out


@click.command("capture")
@click.option("--dsn", required=True, help="The staging database; no password.")
@click.option("--database", help="Another database of that server.")
@click.option(
    "--user",
    "roles",
    metavar="ROLE",
    multiple=True,
    help="Only statements of this role (may be repeated); all roles otherwise.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("statements"),
    show_default=True,
    help="The directory of the files, one for each table.",
)
@click.option("--force", is_flag=True, help="Replace files instead of adding to them.")
@json_option
def command(
    dsn: str,
    database: str | None,
    roles: tuple[str, ...],
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Take statements from pg_stat_statements, and write them for the rehearsal.

    Point it at a database on which the application has run for a while. Files that are there keep
    what they hold; statements that they do not hold are added. Exit code 1 says that there was
    nothing to take.
    """
    from toolchain.edge.postgres.server import read_dsn  # noqa: PLC0415
    from toolchain.edge.postgres.statements import trial  # noqa: PLC0415
    from toolchain.edge.postgres.statistics import read_statistics  # noqa: PLC0415
    from toolchain.edge.statement_files import read_existing, write_files  # noqa: PLC0415
    from toolchain.rehearse.capture import by_group, file_text, statements_to_keep  # noqa: PLC0415
    from toolchain.spec.wording import printable  # noqa: PLC0415

    parameters = read_dsn(dsn)
    if database is not None:
        parameters["dbname"] = database
    counted = read_statistics(parameters, roles)
    kept = statements_to_keep(counted)
    with trial(parameters) as trying:
        refused = {each.name: each for each in trying.attempt([one.statement for one in kept])}
    groups = by_group(each for each in kept if each.name not in refused)
    texts = {}
    for group, captured in groups.items():
        path = output / f"{group}.sql"
        texts[path] = file_text("" if force else read_existing(path), captured)
    written = write_files(texts)
    for failure in refused.values():
        click.echo(f"left out {failure.name}: {failure.message}", err=True)
        if failure.statement is not None:
            # Its name is a hash: whoever writes it by hand wants to know what it was.
            text = printable(" ".join(failure.statement.sql.split()))
            click.echo(f"  {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}", err=True)
    taken = sum(map(len, groups.values()))
    if as_json:
        echo_json(
            {
                "files": [str(path) for path in sorted(texts)],
                "written": [str(path) for path in written],
                "statements": taken,
                "left_out": {name: each.message for name, each in sorted(refused.items())},
            }
        )
    else:
        for path in written:
            click.echo(path)
    click.echo(
        f"{len(counted)} statements counted, {taken} taken, {len(written)} files written", err=True
    )
    sys.exit(0 if taken else 1)
