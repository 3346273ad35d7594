"""Problems as SARIF 2.1.0, the form that code-scanning services take."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.problem import Problem

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

Part = dict[str, Any]  # a part of a SARIF log: JSON, whose values have no common type


def sarif_report(problems: Sequence[Problem]) -> str:
    """A log of one run, with a rule for each code that occurs."""
    used = {problem.code for problem in problems}
    codes = [code for code in Code if code in used]
    run = {
        "tool": {"driver": {"name": "interlock", "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: Code) -> Part:
    return {
        "id": code.value,
        "shortDescription": {"text": code.title},
        "defaultConfiguration": {"level": _level(code)},
    }


def _level(code: Code) -> str:
    return "note" if code.is_hint else "error"


def _result(problem: Problem, rule: int) -> Part:
    result: Part = {
        "ruleId": problem.code.value,
        "ruleIndex": rule,
        "level": _level(problem.code),
        "message": {"text": f"{problem.message}; {problem.cure}."},
        "locations": [_location(problem.origin)],
    }
    if problem.path:
        logical = {"fullyQualifiedName": problem.path}
        result["locations"][0]["logicalLocations"] = [logical]
    if problem.related:
        result["relatedLocations"] = [
            {"id": at, **_location(related.origin), "message": {"text": related.message}}
            for at, related in enumerate(problem.related)
        ]
    return result


def _location(origin: Origin) -> Part:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(origin.file, errors="surrogateescape")},
            "region": {"startLine": origin.line, "startColumn": origin.column},
        }
    }
