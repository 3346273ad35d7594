"""What PyYAML says of text that is not YAML, in words for someone who writes a spec."""

import re

import yaml

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint, Place, Problem

_CURES = (
    (r"block scalar", "put the value in quotes: a plain value must not begin with '>' or '|'"),
    (r"tab", "indent with spaces, not with tabs"),
    (r"cannot start any token", "put the value in quotes: no plain value begins like this"),
    (r"mapping values are not allowed", "put a value that holds ': ' in quotes, or indent it"),
    (r"escape", "put a value with a backslash in single quotes"),
    (r"quoted scalar", "close the quotes"),
    (
        r"flow (sequence|mapping)|expected ',' or",
        "close the bracket, put commas between items, and quotes round braces",
    ),
    (r"simple key", "write 'key: value', or put a text of several lines in quotes"),
    (r"anchor|alias", "put the value in quotes: a plain value must not begin with '*' or '&'"),
    (r"", "mend the indentation and the quotes here or on the line before"),
)  # fmt: skip

# Where the parser notices these, it has long passed what is wrong: the beginning is shown.
_SHOWN_AT_BEGINNING = re.compile(r"simple key|quoted scalar|flow (sequence|mapping)")


def syntax_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    """The problem of a text that PyYAML gave up on."""
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or "it ends early"
    context = getattr(error, "context", None) or ""
    mark = getattr(error, "problem_mark", None)
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        words = "found a tab"
    elif _SHOWN_AT_BEGINNING.search(context) and "escape" not in words:
        mark = getattr(error, "context_mark", None) or mark
    origin = Origin(file=file)
    if mark is not None:
        origin = Origin(file=file, line=mark.line + 1, column=mark.column + 1)
    said = f"{context} {words}"
    return Complaint(
        Code.YAML_SYNTAX,
        f"YAML cannot be read here: {words}",
        next(cure for pattern, cure in _CURES if re.search(pattern, said)),
    ).at(Place(origin))
