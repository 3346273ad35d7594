"""`interlock verify --provenance`: where packages come from, instead of what they fit."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from toolchain.cli.options import echo_json
from toolchain.cli.progress import activity
from toolchain.edge.companions import digests_below
from toolchain.edge.gpgv import open_keyring
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.verify.intake import package_paths, read_packages
from toolchain.verify.provenance_run import Origins, find_origins

# What only solvers are asked with, by parameter and option.
_OF_SOLVERS = {
    "server": "--server",
    "database": "--database",
    "schema": "--schema",
    "demanded": "--witness",
    "apt_roots": "--apt-root",
    "transitions": "--transitions",
    "all_pairs": "--all-pairs",
}


def verify_provenance(
    paths: tuple[Path, ...], product: Path | None, keyring: Path | None, *, as_json: bool
) -> None:
    """Print what was found; the exit code of the command is 1 where something was."""
    _refuse_solver_options()
    with activity("verifying") as report, Processes() as processes, ExitStack() as stack:
        judge = None
        if keyring is not None:
            judge = stack.enter_context(open_keyring(keyring, processes)).signer
        # Nothing runs on when the keyring goes.
        stack.enter_context(processes)
        files = read_packages(package_paths(paths), processes, report)
        digests = None if product is None else digests_below(product)
        origins = find_origins(files, judge, digests, processes, report)
    if as_json:
        echo_json(_json(origins))
    else:
        for finding in origins.findings:
            click.echo(finding)
        click.echo(_summary(origins, product, keyring), err=True)
    if not origins.proved:
        click.get_current_context().exit(1)


def _refuse_solver_options() -> None:
    context = click.get_current_context()
    for parameter, option in _OF_SOLVERS.items():
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{option} is for solvers, and --provenance asks none", "leave one of them out"
            )


def _summary(origins: Origins, product: Path | None, keyring: Path | None) -> str:
    count = len(origins.packages)
    head = f"{count} package{'' if count == 1 else 's'}"
    if not origins.proved:
        found = len(origins.findings)
        return f"{head}: {found} finding{'' if found == 1 else 's'}"
    said = ["statements and bills of materials agree with them"]
    if product is not None:
        inputs = sum(one.inputs for one in origins.packages)
        said.append(f"{inputs} inputs are those of {product}")
    if keyring is not None:
        keys = sorted({one.signed_by for one in origins.packages if one.signed_by})
        said.append(f"signed by {', '.join(keys)}" if keys else "nothing was signed")
    elif any(one.enveloped for one in origins.packages):
        said.append("signatures were not looked at, for that name the key with --keyring")
    else:
        said.append("no statement is signed, which publishing does")
    if origins.own:
        names = ", ".join(sorted({file.file_name for file in origins.own}))
        said.append(f"made by publishing, which the repository's signature speaks for: {names}")
    return f"{head}: {'; '.join(said)}"


def _json(origins: Origins) -> dict[str, Any]:
    return {
        "proved": origins.proved,
        "packages": [
            {
                "file": one.file.path,
                "sha256": one.file.sha256,
                "enveloped": one.enveloped,
                "signed_by": one.signed_by,
                "inputs": one.inputs,
                "builder": one.statement.builder if one.statement else None,
                "interlock": one.statement.version if one.statement else None,
            }
            for one in origins.packages
        ],
        "set_up": [file.path for file in origins.own],
        "findings": [
            {**asdict(finding), "kind": finding.kind.value, "sentence": str(finding)}
            for finding in origins.findings
        ],
    }
