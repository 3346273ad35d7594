"""The conditions of an rpm spec, weighed where what they ask is known, else left undecided."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_LINE = re.compile(r"%(if|ifarch|ifnarch|ifos|ifnos|elif|elifarch|elifos|else|endif)\b\s*(.*)")
_TOKEN = re.compile(r"\s*(?:(\d+)|\"([^\"]*)\"|(&&|\|\||[<>=!]=|[<>!()]))")
_COMPARED = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le,
    ">=": operator.ge,
}  # fmt: skip

Value = int | str


def is_condition(line: str) -> bool:
    """Whether a line begins, divides or ends branches."""
    return _LINE.match(line) is not None


@dataclass(slots=True)
class _Branches:
    """One %if: whether the branch that is being read counts, and whether one before it did."""

    active: bool | None
    done: bool


class Conditions:
    """Which lines of a spec count: where a condition can't be weighed, those of all branches."""

    def __init__(self) -> None:
        self._open: list[_Branches] = []

    @property
    def reading(self) -> bool:
        """Whether the line here counts, or may."""
        return all(each.active is not False for each in self._open)

    def take(self, line: str, expanded: Callable[[str], str]) -> bool:
        """Go by a condition's line; whether it was weighed. `expanded` raises ValueError."""
        match = _LINE.match(line)
        assert match is not None  # noqa: S101  (asked by `is_condition`)
        word = match[1]
        if word.startswith("if"):
            weighed = self._weighed(word, match[2], expanded) if self.reading else False
            self._open.append(_Branches(weighed, weighed is True))
            return weighed is not None
        if not self._open:
            return True
        here = self._open[-1]
        if word == "endif":
            self._open.pop()
        elif here.active is not None:
            chosen = not here.done
            weighed = self._weighed(word, match[2], expanded) if word != "else" else True
            here.active = weighed if chosen else False
            here.done = here.done or weighed is True
        return here.active is not None

    def _weighed(self, word: str, text: str, expanded: Callable[[str], str]) -> bool | None:
        if word not in ("if", "elif"):
            return None  # architectures and systems are the build host's
        try:
            value = _Expression(expanded(text)).value()
        except (ValueError, RecursionError):
            return None
        return value not in (0, "")


class _Expression:
    """Comparisons of integers and quoted texts, joined; ValueError for what else rpm knows.

    The grammar is that of rpm's manual, "Conditionals": what binds least is read first.
    """

    def __init__(self, text: str) -> None:
        self._tokens: list[str | int] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(text)
            number, quoted, sign = match.groups()
            self._tokens.append(int(number) if number else sign if sign else f'"{quoted}')
            at = match.end()

    def value(self) -> Value:
        value = self._either()
        if self._tokens:
            raise ValueError(self._tokens)
        return value

    def _next(self, *signs: str) -> str | None:
        if self._tokens and self._tokens[0] in signs:
            return str(self._tokens.pop(0))
        return None

    def _either(self) -> Value:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._next("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Value:
        value = self._single()
        while (sign := self._next(*_COMPARED)) is not None:
            other = self._single()
            if type(value) is not type(other):
                raise ValueError(sign)
            value = int(_COMPARED[sign](value, other))
        return value

    def _single(self) -> Value:
        if self._next("!"):
            return int(self._single() in (0, ""))
        if self._next("("):
            value = self._either()
            if not self._next(")"):
                raise ValueError("(")
            return value
        if not self._tokens or self._tokens[0] in ("&&", "||", ")", *_COMPARED):
            raise ValueError("no value")
        token = self._tokens.pop(0)
        if isinstance(token, int):
            return token
        if not token.startswith('"'):
            raise ValueError(token)
        return token[1:]
