"""Problems as JSON, for scripts."""

import json
from collections.abc import Sequence

from toolchain.model.origin import Origin
from toolchain.spec.problem import Problem


def json_report(problems: Sequence[Problem]) -> str:
    """`{"problems": [{file, line, column, path, code, severity, message, cure, related}, …]}`.

    `severity` is `error` or `hint`.
    """
    listed = [
        {
            **_place(problem.origin),
            "path": problem.path,
            "code": problem.code.value,
            "severity": "hint" if problem.code.is_hint else "error",
            "message": problem.message,
            "cure": problem.cure,
            "related": [
                {**_place(related.origin), "message": related.message}
                for related in problem.related
            ],
        }
        for problem in problems
    ]
    return json.dumps({"problems": listed}, indent=2) + "\n"


def _place(origin: Origin) -> dict[str, str | int]:
    return {"file": origin.file, "line": origin.line, "column": origin.column}
