"""Checks of what package formats have words of their own for: dependencies, compression, modes."""

import re

from toolchain.model.relation import Operator, Relation, RelationKind
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.shape.plain import Plain
from toolchain.spec.wording import show

_RELATION = re.compile(r"(\S+)(?: (<|<=|=|>=|>) (\S+))?")
_DEB_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")  # Debian Policy 5.6.7
_RPM_NAME = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+:~-]{0,199}(?:\([A-Za-z0-9_.:/+~-]*\)){0,3}")
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[0-9][A-Za-z0-9.+~]{0,99}(?:-[A-Za-z0-9.+~]{1,99})?")
_LEVELS = {"gzip": (1, 9), "xz": (0, 9), "zstd": (1, 19)}


def relation(text: str) -> Relation:
    """A dependency as the model has it; for text that one of the checks below has passed."""
    match = _RELATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a relation")
    operator = None if match[2] is None else Operator(match[2])
    return Relation(kind=RelationKind.DEPENDS, name=match[1], operator=operator, version=match[3])


def _relation(text: str, name: re.Pattern[str], what: str) -> None:
    match = _RELATION.fullmatch(text) if len(text) <= 500 else None
    if match is None:
        raise Complaint(
            Code.DEPENDENCY,
            f"{show(text)} is not a dependency",
            "write NAME or 'NAME OP VERSION' with one space on both sides of <, <=, =, >= or >, "
            "for example 'python3 >= 3.9'",
        )
    if name.fullmatch(match[1]) is None:
        raise Complaint(
            Code.DEPENDENCY,
            f"{show(match[1])} is not the name of a package",
            f"write one name as {what} has it; alternatives and conditions are not supported",
        )
    if match[3] is not None and _VERSION.fullmatch(match[3]) is None:
        raise Complaint(
            Code.DEPENDENCY,
            f"{show(match[3])} is not a package's version",
            "write one that begins with a digit and holds only letters, digits, '.', '+', '~', '-'",
        )


def deb_relation(text: str) -> None:
    """A dependency on a Debian package."""
    _relation(text, _DEB_NAME, "Debian")


def rpm_relation(text: str) -> None:
    """A dependency on an rpm package, a capability such as `python3dist(psycopg2)`, or a file."""
    _relation(text, _RPM_NAME, "rpm")


def compression(text: str) -> None:
    """METHOD or METHOD:LEVEL, with levels that dpkg-deb and rpmbuild both know."""
    method, colon, level = text.partition(":")
    if method not in ("none", *_LEVELS) or (colon and method == "none"):
        raise Complaint(
            Code.COMPRESSION,
            f"{show(text)} is not a compression",
            "write none, gzip, xz or zstd, with a level if you like: zstd:3",
        )
    if colon:
        lowest, highest = _LEVELS[method]
        if re.fullmatch(r"[0-9]{1,2}", level) is None or not lowest <= int(level) <= highest:
            raise Complaint(
                Code.COMPRESSION,
                f"{show(level)} is not a level of {method}",
                f"write a number from {lowest} to {highest}",
            )


def mode(text: str) -> None:
    """Four octal digits, in quotes: YAML 1.1 reads a plain 0640 as 416, and YAML 1.2 as 640."""
    if re.fullmatch(r"0?[0-7]{3,4}", text) is None or len(text) > 4:
        raise Complaint(
            Code.MODE, f"{show(text)} is not a mode", 'write four octal digits, for example "0640"'
        )
    digits = text.rjust(4, "0")
    if isinstance(text, Plain) or len(text) != 4:
        raise Complaint(
            Code.MODE,
            f"the mode {text} is not four digits in quotes",
            f'write "{digits}": without quotes, YAML readers take it for a number',
        )
    bits = int(text, 8)
    if bits & 0o002 and not bits & 0o1000:
        raise Complaint(
            Code.MODE,
            f"the mode {text} lets everyone write",
            f'write "{bits & ~0o002:04o}"',
        )
