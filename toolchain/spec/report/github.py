"""Problems as workflow commands, which GitHub shows beside the changed lines of a pull request.

The escapes are those of actions/toolkit, packages/core/src/command.ts.
"""

from collections.abc import Sequence

from toolchain.spec.problem import Problem
from toolchain.spec.wording import printable


def github_report(problems: Sequence[Problem]) -> str:
    """One `::error file=…,line=…,col=…,title=…::message` a line."""
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Problem) -> str:
    properties = {
        "file": printable(problem.origin.file),
        "line": str(problem.origin.line),
        "col": str(problem.origin.column),
        "title": f"interlock {problem.code.value}",
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    kind = "notice" if problem.code.is_hint else "error"
    return f"::{kind} {listed}::{_data(f'{problem.message}; {problem.cure}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
