"""What `interlock publish` works with: the key, the proof, the packages, the progress."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.progress import activity
from toolchain.edge.gpg import open_signer
from toolchain.edge.process import Processes
from toolchain.errors import RefusedError, UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Product
from toolchain.plan.attestation import SBOM, STATEMENT
from toolchain.plan.client import require_url
from toolchain.publish.run import Publisher
from toolchain.publish.signing import Signs
from toolchain.verify.intake import package_paths, read_packages
from toolchain.verify.run import Verifier
from toolchain.verify.witnesses import find_witnesses

if TYPE_CHECKING:
    from toolchain.verify.halves import Report

_EARLY = timedelta(days=30)
_UNITS = {"h": 3600, "d": 86400}


@contextmanager
def publisher(
    *,
    repository: Path,
    url: str | None,
    keys: Sequence[str],
    key_file: Path | None,
    passphrase_file: Path | None,
    valid: str,
    product: Product | None,
    force: bool,
    dry_run: bool,
) -> Iterator[Publisher]:
    """A publisher whose key has signed once already; in a dry run it has none."""
    validity = _seconds(valid)
    if url is not None:
        try:
            url = require_url(url)
        except ValueError as error:
            raise UsageError(str(error), "write it as https://packages.example.com/P") from error
    processes = Processes()
    with ExitStack() as stack:
        report = stack.enter_context(activity("publishing"))
        signer: Signs | None = None
        if not dry_run:
            signer = stack.enter_context(
                open_signer(
                    keys,
                    key_file=key_file,
                    passphrase_file=passphrase_file,
                    processes=processes,
                )
            )
            _warn(signer)

        def prove(channel: str, files: Sequence[PackageFile], new: frozenset[str]) -> None:
            _prove(channel, files, new, product, processes, report)

        try:
            yield Publisher(
                repository=repository,
                signer=signer,
                prove=prove,
                report=report,
                url=url,
                validity=validity,
                product=product,
                force=force,
                processes=processes,
            )
        except BaseException:
            processes.stop()
            raise


def read_all(paths: Sequence[Path]) -> tuple[PackageFile, ...]:
    """All packages that the arguments name; raises UsageError.

    What stands beside packages comes with them, and a shell's pattern names it too.
    """
    paths = [path for path in paths if not path.name.endswith((SBOM, STATEMENT))]
    processes = Processes()
    with activity("reading") as report:
        try:
            return read_packages(package_paths(paths), processes, report)
        except BaseException:
            processes.stop()
            raise


def _prove(
    channel: str,
    files: Sequence[PackageFile],
    new: frozenset[str],
    product: Product | None,
    processes: Processes,
    report: "Report",
) -> None:
    """What `interlock verify` says of all that customers of a channel would see.

    What is there already was proved when it came, so questions are asked where something is new.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-") as work:
        formats = {file.format for file in files}
        answer = Verifier(
            witnesses=find_witnesses(formats, (), (), processes, Path(work), every=False),
            report=report,
            product=product,
            only=new,
        ).verify(files)
    for finding in answer.findings:
        click.echo(finding, err=True)
    if not answer.proved:
        count = len(answer.findings)
        raise RefusedError(
            f"the packages of {channel} are not proved: {count} finding{'' if count == 1 else 's'}",
            "mend them, or take them out; 'interlock verify' asks the same questions",
        )


def _warn(signer: Signs) -> None:
    """A key that ends soon: the time to bring a new one to customers is now."""
    if signer.expires is None:
        return
    left = signer.expires - datetime.now(UTC)
    if left < _EARLY:
        click.echo(
            f"interlock: warning: a signing key expires in {max(left.days, 0)} days; "
            "name its successor with a second --key, before customers refuse everything "
            "(dnf keeps the end that it once read, so extending the key does not help)",
            err=True,
        )


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,3})([hd])", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 3600 <= seconds <= 400 * 86400:
        raise UsageError(
            f"--valid {text} is no time between an hour and 400 days", "write 14d, or 36h"
        )
    return seconds
