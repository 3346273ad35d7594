"""Values and comments as YAML text in which nothing of another's making is more than text."""

import json
import re

from toolchain.spec.located.text import control_in
from toolchain.spec.wording import printable

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._+-]*(?: [A-Za-z0-9/._+]+)*")
# Words that YAML 1.1 or a reader of it takes for something else than text.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_WIDTH = 100


def scalar(text: str) -> str:
    """A value: plain where no reader could take it for anything else, or in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    clean = text if control_in(text) is None else printable(text)
    return json.dumps(_as_text(clean), ensure_ascii=False)


def _as_text(text: str) -> str:
    """A variable of another tool is text here: specs have variables of their own."""
    return text.replace("${", "$${")


def flow(value: object) -> str:
    """A value as a flow mapping or sequence."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return (
                "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return scalar(str(value))


def comment(text: str, indent: str = "") -> str:
    """Lines of comment; whatever the text holds, it begins no line of its own."""
    words, lines, line = printable(" ".join(text.split())).split(" "), [], ""
    lead = len(text) - len(text.lstrip(" "))
    prefix = f"{indent}# {' ' * lead}"
    for word in words:
        if line and len(prefix) + len(line) + len(word) + 1 > _WIDTH:
            lines.append(prefix + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(prefix + line)
    return "".join(f"{each}\n" for each in lines)


def block(text: str, indent: str) -> str:
    """A literal block of lines; tabs and controls become what a spec may hold."""
    lines = [_as_text(printable(line.expandtabs(4)).rstrip()) for line in text.strip().split("\n")]
    return "|\n" + "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
