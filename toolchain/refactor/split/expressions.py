"""What can be told of an expression from its text."""

import re

_TEXT = re.compile(r"[eE]?'(?:[^']|'')*'")
# A constant as PostgreSQL's parser spells a column's default. The text 'now' is none: it means
# the moment at which it is read.
_CONSTANT = re.compile(
    r"\(?\s*(?:[-+]?\s*[\d.]+(?:e[-+]?\d+)?|[ebx]?'(?!(?:now|today|tomorrow|yesterday)')(?:[^']|'')*'"
    r"|true|false|null|array\s*\[\s*\])\s*\)?",
    re.IGNORECASE,
)
_TYPE = r"[\w\s\".,()\[\]]+"
_CAST = re.compile(
    rf"cast\s*\((?P<call>.*)\s+as\s+{_TYPE}\)|(?P<colons>.*?)\s*::\s*{_TYPE}",
    re.IGNORECASE | re.DOTALL,
)


def mentions(expression: str, column: str) -> bool:
    """Whether an expression may read a column; a function's name counts too, to be safe."""
    bare = _TEXT.sub("''", expression)
    quoted = '"' + column.replace('"', '""') + '"'
    return quoted in bare or bool(re.search(rf"(?<![\w\"]){re.escape(column)}(?![\w\"])", bare))


def is_constant(expression: str) -> bool:
    """Whether a default is the same whenever it is asked for."""
    text = expression.strip()
    while _CONSTANT.fullmatch(text) is None and (cast := _CAST.fullmatch(text)):
        text = (cast["call"] or cast["colons"] or "").strip()
    return _CONSTANT.fullmatch(text) is not None
