"""What may be said of a host: names and facts, checked where they come in."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Union

Fact = Union[str, int, None]
Facts = dict[str, Fact]

LONGEST_TEXT = 200
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_WHOLE_NUMBERS = ("cpu_count", "memory_mb")


class InvalidError(ValueError):
    """What came in is not a host, a fact or a job; the message is for whoever sent it."""


def host_name(value: Any) -> str:
    """A host's name in lower case; raises InvalidError."""
    name = value.lower() if isinstance(value, str) else ""
    if len(name) > 253 or _NAME.fullmatch(name) is None:
        raise InvalidError("name: write a host name of letters, digits, '-' and '.'")
    return name


def facts(values: Any, known: Iterable[str]) -> Facts:
    """The facts of an object, each of its kind; raises InvalidError on the first that is not."""
    if not isinstance(values, dict):
        raise InvalidError("facts are an object of names and values")
    known = tuple(known)
    for name in values:
        if name not in known:
            raise InvalidError(f"{str(name)[:40]!r} is not a fact; known are {', '.join(known)}")
    return {name: _fact(name, values[name]) for name in known if name in values}


def _fact(name: str, value: Any) -> Fact:
    if value is None:
        return None
    if name in _WHOLE_NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise InvalidError(f"{name}: write a whole number, 0 or more")
        return value
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidError(f"{name}: write at most {LONGEST_TEXT} characters of text")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise InvalidError(f"{name}: control characters have no place in it")
    if name in ("ipv4", "ipv6"):
        return _address(name, value)
    return value


def _address(name: str, value: str) -> str:
    try:
        if name == "ipv4":
            return str(ipaddress.IPv4Address(value))
        if "%" in value:  # PostgreSQL's inet knows no scopes
            raise ValueError
        return str(ipaddress.IPv6Address(value))
    except ValueError:
        raise InvalidError(f"{name}: {value[:60]!r} is not such an address") from None
