"""Where packages come from: each one's documents, read and judged on all processors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.edge.companions import read_beside
from toolchain.edge.process import Processes
from toolchain.model.carried import PackageFile
from toolchain.verify.finding import Finding
from toolchain.verify.halves import Report
from toolchain.verify.parallel import each
from toolchain.verify.provenance import Attested, Digests, Judge, attested


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What was found of all packages.

    `own` are the packages that publishing itself makes, for setting a client up: they come from
    no build, and the repository's signature alone speaks for them.
    """

    packages: tuple[Attested, ...]
    own: tuple[PackageFile, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def proved(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def find_origins(
    files: Sequence[PackageFile],
    judge: Judge | None,
    digests: Digests | None,
    processes: Processes,
    report: Report,
) -> Origins:
    """Judge every package by what lies beside it; raises ToolError where gpgv is missing."""

    def one(file: PackageFile) -> Attested:
        return attested(file, read_beside(Path(file.path)), judge, digests)

    names = {file.name.removesuffix(half) for file in files for half in ("-server", "-database")}
    own = tuple(file for file in files if _is_set_up(file, names))
    judged: list[Attested] = []
    rest = [file for file in files if file not in own]
    for result in each(one, rest, processes):
        judged.append(result)
        report(len(judged), len(rest), f"judging {result.file.file_name}")
    found = tuple(finding for result in judged for finding in result.findings)
    return Origins(packages=tuple(judged), own=own, findings=found)


def _is_set_up(file: PackageFile, products: set[str]) -> bool:
    return file.name.endswith("-repository") and file.name.removesuffix("-repository") in products
