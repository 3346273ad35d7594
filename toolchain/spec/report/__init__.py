"""Problems as text for people, and in the forms that machines read."""

from collections.abc import Callable, Mapping, Sequence

from toolchain.spec.problem import Problem
from toolchain.spec.report.github import github_report
from toolchain.spec.report.json import json_report
from toolchain.spec.report.sarif import sarif_report
from toolchain.spec.report.text import text_report

# What `--format` of a command may name.
REPORTS: Mapping[str, Callable[[Sequence[Problem]], str]] = {
    "text": text_report,
    "json": json_report,
    "github": github_report,
    "sarif": sarif_report,
}
