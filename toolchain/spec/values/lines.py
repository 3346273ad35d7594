"""Checks of free text: it ends up in fields of one line, where a line feed would begin a new field.

Percent signs, braces and markup are left alone, but where no escape helps: whoever writes a format
escapes them for it.
"""

import re

from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show

_MAIL = re.compile(r"[^<>@\s]+@[^<>@\s]+")
_LICENCE = re.compile(r"[A-Za-z0-9(][A-Za-z0-9.+() :-]*")
_ADDRESS = re.compile(r"https?://[^\s/<>\"]+[^\s<>\"]*")


def value(text: str) -> None:
    """An argument or an environment variable's value: any text of one line, or none."""
    if "\n" in text or "\t" in text:
        raise Complaint(
            Code.LINE,
            f"{show(text)} holds a line feed or a tab",
            "write the value on one line; a file of the payload can hold longer ones",
        )


def line(text: str) -> None:
    """Something to read, of one line."""
    if not text.strip():
        raise Complaint(Code.NO_VALUE, "the text is empty", "write one line of text")
    if "\n" in text or "\t" in text:
        raise Complaint(
            Code.LINE,
            f"{show(text)} holds a line feed or a tab",
            "write one line of text: a second line would become a field of the package",
        )


def paragraphs(text: str) -> None:
    """Something to read, of any number of lines."""
    if not text.strip():
        raise Complaint(Code.NO_VALUE, "the text is empty", "write what the product does")
    if "\t" in text:
        raise Complaint(Code.CONTROL_CHARACTER, "the text holds a tab", "write spaces instead")
    for each in text.split("\n"):
        # rpm looks for directives and sections before and after it expands, so '%%' is no escape.
        if each.strip().startswith("%"):
            raise Complaint(
                Code.LINE,
                f"the line {show(each.strip())} begins with '%', as a directive of rpm does",
                "put a word before it",
            )


def unit_line(text: str) -> None:
    """Something to read, of one line, that becomes a line of a unit (systemd.syntax(7))."""
    line(text)
    if text.rstrip().endswith("\\"):
        raise Complaint(
            Code.LINE,
            f"{show(text)} ends with a backslash",
            "delete it: in a unit it would join the next line to this one",
        )


def summary(text: str) -> None:
    """A package's summary (Debian Policy 5.6.13; rpmlint's summary-ended-with-dot).

    A service without a description has the summary for one.
    """
    unit_line(text)
    if text.endswith("."):
        raise Complaint(
            Code.LINE, "the summary ends with a full stop", "delete it: a summary is no sentence"
        )


def maintainer(text: str) -> None:
    """`Name <mail>`, as Debian Policy 5.6.2 has it."""
    line(text)
    name, bracket, rest = text.partition(" <")
    mail = rest.removesuffix(">")
    if not bracket or mail == rest or not name.strip(" ") or set("<>") & set(name):
        raise Complaint(
            Code.MAINTAINER,
            f"{show(text)} is not a maintainer",
            "write 'Name <mail>', for example 'Fleetdesk Developers <fleetdesk@example.com>'",
        )
    if _MAIL.fullmatch(mail) is None:
        raise Complaint(
            Code.MAINTAINER,
            f"{show(mail)} is not a mail address",
            "write the address in angle brackets, for example <fleetdesk@example.com>",
        )


def homepage(text: str) -> None:
    """An http address without spaces."""
    if _ADDRESS.fullmatch(text) is None:
        raise Complaint(
            Code.HOMEPAGE,
            f"{show(text)} is not an address",
            "write one that begins with https:// and has no spaces",
        )


def health_address(text: str) -> None:
    """An http address that a service answers at."""
    if _ADDRESS.fullmatch(text) is None:
        raise Complaint(
            Code.WRONG_VALUE,
            f"{show(text)} is not an address",
            "write one such as http://127.0.0.1:8080/health, without spaces",
        )


def licence(text: str) -> None:
    """An SPDX expression, by its characters; the list of identifiers changes too often to keep."""
    if _LICENCE.fullmatch(text) is None:
        raise Complaint(
            Code.LICENCE,
            f"{show(text)} is not an SPDX expression",
            "write an identifier such as Apache-2.0, or LicenseRef-NAME for one of your own",
        )


def user_description(text: str) -> None:
    """A comment in the user database, whose fields colons part (passwd(5); sysusers.d(5))."""
    line(text)
    if set(':"\\') & set(text):
        raise Complaint(
            Code.LINE,
            f"{show(text)} holds a colon, a double quote or a backslash",
            "leave it out: the description becomes a field of /etc/passwd",
        )
