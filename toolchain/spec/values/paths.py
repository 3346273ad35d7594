"""Checks of paths as they are written; what stands there is another file's question."""

import re

from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show

# PATH_MAX of Linux, with room for the product's own directory.
_LIMIT = 1024
STATE = ("/var/lib", "/var/log", "/var/cache", "/var/spool", "/var/opt", "/srv", "/run", "/opt")
_UNQUOTED = re.compile(r"[A-Za-z0-9._/-]+")


def normalized(text: str) -> None:
    """No part of a path is empty, `.` or `..`, and no character is one that a list would break on.

    Spaces, brackets, stars, percent signs and letters of any script are allowed.
    """
    if not text:
        raise Complaint(Code.NO_VALUE, "the path is empty", "write a path")
    if len(text) > _LIMIT or any(len(part.encode()) > 255 for part in text.split("/")):
        raise Complaint(Code.PATH, f"the path {show(text)} is too long", "shorten it")
    if "\n" in text or "\t" in text:
        raise Complaint(
            Code.PATH,
            f"the path {show(text)} holds a line feed or a tab",
            "rename the file: package formats keep paths in lists of lines",
        )
    if text != "/" and any(part in ("", ".", "..") for part in text.removeprefix("/").split("/")):
        raise Complaint(
            Code.PATH,
            f"the path {show(text)} is not normalized",
            "write it without '..', '.', '//' and a '/' at the end",
        )


def inside_product(text: str) -> None:
    """A path that begins at the product's directory and stays in it."""
    if text.startswith("/"):
        raise Complaint(
            Code.PATH,
            f"the path {show(text)} is absolute",
            "write a path relative to the product's directory; what is built must lie inside it",
        )
    if ".." in text.split("/"):
        raise Complaint(
            Code.PATH,
            f"the path {show(text)} leads out with '..'",
            "paths below `server` begin at the directory that `payload` names, all others at the"
            " product's; copy the file there",
        )
    normalized(text)


def manual(text: str) -> None:
    """A manual page, whose section stands in its name."""
    inside_product(text)
    if re.search(r"[^/.][^/]*\.[1-9][a-z]{0,9}\Z", text) is None:
        raise Complaint(
            Code.PATH,
            f"{show(text)} does not end with a section",
            "name the page NAME.SECTION, for example fleetdesk-web.1, and do not compress it",
        )


def absolute(text: str) -> None:
    """A path on the installed system."""
    if not text.startswith("/"):
        raise Complaint(Code.PATH, f"the path {show(text)} is not absolute", "begin it with '/'")
    normalized(text)


def below(text: str, directories: tuple[str, ...]) -> bool:
    """Whether a path lies below one of the directories, and is none of them."""
    return any(text.startswith(f"{directory}/") for directory in directories)


def _unquoted(text: str) -> None:
    """A path for units, tmpfiles.d, sysusers.d and passwd: they split lines and expand `%`."""
    absolute(text)
    if _UNQUOTED.fullmatch(text) is None:
        raise Complaint(
            Code.PATH,
            f"the path {show(text)} holds a character that systemd's files would read otherwise",
            "write it with letters of ASCII, digits, '.', '_', '-' and '/' only",
        )


def state(text: str) -> None:
    """A directory that a service may own."""
    _unquoted(text)
    if not below(text, STATE):
        raise Complaint(
            Code.TARGET,
            f"{show(text)} is not a place for a service's own files",
            f"write a directory below one of {', '.join(STATE)}",
        )


def home(text: str) -> None:
    """A user's home, which becomes a field of /etc/passwd."""
    _unquoted(text)
    if text != "/nonexistent" and not below(text, STATE):
        raise Complaint(
            Code.TARGET,
            f"{show(text)} is not a home for a system user",
            f"write a directory below one of {', '.join(STATE)}, or /nonexistent",
        )
