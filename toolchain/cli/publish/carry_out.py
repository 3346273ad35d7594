"""A deed done by a publisher that is ready for it: the key, the proof, the progress, the answer."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import echo_json
from toolchain.cli.progress import activity
from toolchain.cli.publish.answer import outcome_json, print_outcome
from toolchain.cli.publish.options import Shared
from toolchain.edge.gpg import open_signer
from toolchain.edge.process import Processes
from toolchain.errors import RefusedError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Product
from toolchain.plan.attestation import SBOM, STATEMENT
from toolchain.publish.deeds.desk import Deed, Outcome
from toolchain.publish.run import Publisher
from toolchain.publish.signing import Signs
from toolchain.spec.wording import counted
from toolchain.verify.intake import package_paths, read_packages
from toolchain.verify.run import Verifier
from toolchain.verify.witnesses import find_witnesses

if TYPE_CHECKING:
    from toolchain.verify.halves import Report

_EARLY = timedelta(days=30)


def carry_out(
    deed: Deed, shared: Shared, *, url: str | None = None, product: Product | None = None
) -> None:
    """Do it and tell the outcome; `product` has the law where specs are to tell it."""
    with activity("publishing") as report, Processes() as processes, ExitStack() as stack:
        signer: Signs | None = None
        if not shared.dry_run:
            signer = stack.enter_context(
                open_signer(
                    shared.keys,
                    key_file=shared.key_file,
                    passphrase_file=shared.passphrase_file,
                    processes=processes,
                )
            )
            _warn(signer)
        # No gpg is left when the home of a key file's key goes.
        stack.enter_context(processes)

        def prove(channel: str, files: Sequence[PackageFile], new: frozenset[str]) -> None:
            _prove(channel, files, new, product, processes, report)

        outcome = Publisher(
            repository=shared.repository,
            signer=signer,
            prove=prove,
            report=report,
            url=url,
            validity=shared.validity,
            processes=processes,
        ).publish(deed)
    _tell(outcome, shared)


def read_all(paths: Sequence[Path]) -> tuple[PackageFile, ...]:
    """All packages that the arguments name; raises UsageError.

    What stands beside packages comes with them, and a shell's pattern names it too.
    """
    paths = [path for path in paths if not path.name.endswith((SBOM, STATEMENT))]
    with activity("reading") as report, Processes() as processes:
        return read_packages(package_paths(paths), processes, report)


def _tell(outcome: Outcome, shared: Shared) -> None:
    if shared.as_json:
        echo_json(outcome_json(outcome, dry_run=shared.dry_run))
    else:
        print_outcome(outcome, dry_run=shared.dry_run)


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
        raise RefusedError(
            f"the packages of {channel} are not proved: {counted(len(answer.findings), 'finding')}",
            "mend them, or take them out; 'interlock verify' asks the same questions",
        )


def _warn(signer: Signs) -> None:
    """A key that ends soon: the time to bring a new one to customers is now."""
    if signer.expires is None:
        return
    left = signer.expires - datetime.now(UTC)
    if left < _EARLY:
        end = f"in {counted(left.days, 'day')}" if left.days > 0 else "within a day"
        click.echo(
            f"interlock: warning: a signing key expires {end}; "
            "name its successor with a second --key, before customers refuse everything "
            "(dnf keeps the end that it once read, so extending the key does not help)",
            err=True,
        )
