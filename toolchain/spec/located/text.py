"""Bytes to text, and the characters that no text of a product may hold."""

import re

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint, Place, Problem

MEBIBYTE = 1 << 20
SPEC_LIMIT = MEBIBYTE
SQL_LIMIT = 16 * MEBIBYTE

# Controls but for tab and line feed; the line breaks of YAML 1.1 that editors do not count; marks
# that reorder the text around them on a screen (CVE-2021-42574); what is no character at all.
_FORBIDDEN = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
)
_CONTROL = re.compile(f"[{_FORBIDDEN}\ud800-\udfff]")
_CONTROL_IN_FILE = re.compile(f"[{_FORBIDDEN}]")

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def control_in(text: str) -> str | None:
    """The first character of a value that is neither printable nor a tab or line feed, by name."""
    match = _CONTROL.search(text)
    return None if match is None else f"U+{ord(match[0]):04X}"


def origin_at(file: str, text: str, index: int) -> Origin:
    """Line and column of a character, both from 1."""
    before = text[:index]
    return Origin(
        file=file, line=before.count("\n") + 1, column=index - (before.rfind("\n") + 1) + 1
    )


def decode(file: str, data: bytes) -> str | Problem:
    """The text of a file with line feeds for line ends, or the first thing that keeps it from one.

    Carriage returns before a line feed are an editor's habit and taken out; all others are not.
    """
    if data.startswith(_BYTE_ORDER_MARKS):
        return Complaint(
            Code.ENCODING,
            "the file begins with a byte order mark",
            "save it as UTF-8 without one (in editors: 'UTF-8', not 'UTF-8 with BOM')",
        ).at(Place(Origin(file=file)))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        return Complaint(
            Code.ENCODING,
            f"the byte 0x{data[error.start]:02X} is not UTF-8",
            "save the file as UTF-8",
        ).at(Place(origin_at(file, good, len(good))))
    text = text.replace("\r\n", "\n")
    match = _CONTROL_IN_FILE.search(text)
    if match is None:
        return text
    return Complaint(
        Code.CONTROL_CHARACTER,
        f"the file holds the control character U+{ord(match[0]):04X}",
        "delete it; it may be invisible in the editor",
    ).at(Place(origin_at(file, text, match.start())))
