"""`interlock verify`: finished packages against the law, by real solvers."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, json_option, read_product, verbose_option
from toolchain.cli.progress import activity
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.release import Product
    from toolchain.verify.halves import Names
    from toolchain.verify.run import Answer


@click.command("verify")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option(
    "--product",
    "product_directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the law, or with --provenance the inputs, from this product's directory.",
)
@click.option(
    "--provenance",
    is_flag=True,
    help="Ask no solver; see what each package was made from, by whom, and whose key says so.",
)
@click.option(
    "--keyring",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --provenance: every statement must be signed by a key of this file.",
)
@click.option("--server", metavar="NAME", help="The server package's name, with --product.")
@click.option("--database", metavar="NAME", help="The database package's name, with --product.")
@click.option("--schema", metavar="VIRTUAL", help="The schema's virtual name, with --product.")
@click.option(
    "--witness",
    "demanded",
    type=click.Choice(["apt", "dose", "dnf"]),
    multiple=True,
    help="Fail unless this solver is asked too (may be repeated).",
)
@click.option(
    "--apt-root",
    "apt_roots",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Ask the apt of this directory tree too, another distribution's for example.",
)
@click.option(
    "--transitions/--no-transitions",
    default=True,
    show_default=True,
    help="Try upgrades and installations from every legal state.",
)
@click.option("--all-pairs", is_flag=True, help="Ask the witnesses everything, not the edges only.")
@verbose_option
@json_option
def command(
    paths: tuple[Path, ...],
    product_directory: Path | None,
    provenance: bool,
    keyring: Path | None,
    server: str | None,
    database: str | None,
    schema: str | None,
    demanded: tuple[str, ...],
    apt_roots: tuple[Path, ...],
    transitions: bool,
    all_pairs: bool,
    verbose: bool,  # noqa: ARG001  (read where errors are reported)
    as_json: bool,
) -> None:
    """Ask real solvers whether PATH... keep every pair out that does not fit, and no other.

    PATH is a package, or a directory or repository with packages, deb and rpm. Exit code 1 says
    that something was found.
    """
    if provenance:
        from toolchain.cli.verify_provenance import verify_provenance  # noqa: PLC0415

        verify_provenance(paths, product_directory, keyring, as_json=as_json)
        return
    if keyring is not None:
        raise UsageError("--keyring is for statements of provenance", "add --provenance")
    from toolchain.edge.process import Processes  # noqa: PLC0415
    from toolchain.verify.intake import package_paths, read_packages  # noqa: PLC0415
    from toolchain.verify.run import Verifier  # noqa: PLC0415
    from toolchain.verify.witnesses import find_witnesses  # noqa: PLC0415

    product = read_product(product_directory)
    names = _names(product, server, database, schema)
    found = package_paths(paths)
    with (
        activity("verifying") as report,
        tempfile.TemporaryDirectory(prefix="interlock-") as work,
        # Its processes end before the directory goes, so that nobody writes there any more.
        Processes() as processes,
    ):
        files = read_packages(found, processes, report)
        formats = {file.format for file in files}
        answer = Verifier(
            witnesses=find_witnesses(
                formats, demanded, apt_roots, processes, Path(work), every=all_pairs
            ),
            report=report,
            product=product,
            names=names,
            transitions=transitions,
            every=all_pairs,
        ).verify(files)
    if as_json:
        echo_json(_json(answer))
    else:
        for finding in answer.findings:
            click.echo(finding)
        click.echo(_summary(answer), err=True)
    if not answer.proved:
        click.get_current_context().exit(1)


def _names(
    product: "Product | None", server: str | None, database: str | None, schema: str | None
) -> "Names | None":
    from toolchain.verify.halves import Names  # noqa: PLC0415

    if product is None:
        if server or database or schema:
            raise UsageError(
                "--server, --database and --schema rename what the specs of a product call",
                "name its directory with --product",
            )
        return None
    return Names(
        product=product.name,
        server_package=server or product.server_package,
        database_package=database or product.database_package,
        schema_package=schema or product.schema_package,
    )


def _summary(answer: "Answer") -> str:
    formats = " and ".join(f"{one.value}" for one in answer.formats)
    labels = ", ".join(dict.fromkeys(asked.label for asked in answer.asked))
    questions = sum(asked.questions for asked in answer.asked)
    commands = sum(asked.commands for asked in answer.asked)
    asked = f"{questions} questions" + (f" and {commands} upgrades" if commands else "")
    head = f"{answer.packages} packages, {answer.pairs} pairs, {formats or 'no pair to ask about'}"
    if answer.proved:
        return f"{head}: {labels} agree with the law in {asked}"
    found = len(answer.findings)
    return f"{head}: {found} finding{'' if found == 1 else 's'} in {asked}, asked of {labels}"


def _json(answer: "Answer") -> dict[str, Any]:
    return {
        "proved": answer.proved,
        "products": list(answer.products),
        "packages": answer.packages,
        "pairs": answer.pairs,
        "formats": [one.value for one in answer.formats],
        "asked": [{**asdict(one), "format": one.format.value} for one in answer.asked],
        "findings": [
            {**asdict(finding), "kind": finding.kind.value, "sentence": str(finding)}
            for finding in answer.findings
        ],
    }
