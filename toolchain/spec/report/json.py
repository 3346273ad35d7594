"""Problems as JSON, for scripts."""

import json
from collections.abc import Sequence

from toolchain.model.origin import Origin
from toolchain.spec.problem import Problem


def json_report(problems: Sequence[Problem]) -> str:
    """`{"problems": [{file, line, column, path, code, message, cure, related}, …]}`."""
    listed = [
        {
            **_place(problem.origin),
            "path": problem.path,
            "code": problem.code.value,
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
