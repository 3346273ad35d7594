"""Checks of release versions, windows and dates, with the right spelling where it is obvious."""

import re
from collections.abc import Callable
from datetime import date

from toolchain.model.version import GRAMMAR_HINT, Version
from toolchain.model.window import schema_window, version_window
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show

# The longest thing worth looking at: a version of nine digits a part is 46 characters long.
_LIMIT = 100
_DESCRIBED = re.compile(r"v?[0-9][0-9.]*(?:-[a-z0-9.]+)?-[0-9]+-g[0-9a-f]{4,}(?:-dirty)?")
_REVISED = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)-([0-9]+)")
_LOOSE = re.compile(
    r"(?:[0-9]+:|[a-z]+[-_]?)?"  # an epoch, or a letter or word in front
    r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?"
    r"(?:[-_.~]?([a-z]{1,16})[-_.]?([0-9]{1,9})?)?",
    re.IGNORECASE,
)


def spelled(text: str) -> Version | None:
    """The version that someone who wrote this most likely means; None when it is not obvious."""
    match = _LOOSE.fullmatch(text) if len(text) <= _LIMIT else None
    if match is None:
        return None
    major, minor, patch, stage, number = match.groups()
    return Version(
        int(major),
        int(minor or 0),
        int(patch or 0),
        stage.lower() if stage else None,
        int(number or 1) if stage else 0,
    )


def _cure(text: str) -> str:
    if _DESCRIBED.fullmatch(text[:_LIMIT]) is not None:
        return (
            "'git describe' counts commits after a release, which no package manager sorts rightly;"
            f" name the release that this will become: {GRAMMAR_HINT}"
        )
    if (match := _REVISED.fullmatch(text[:_LIMIT])) is not None:
        return f"write {match[1]} and put the package revision under 'revision: {match[2]}'"
    obvious = spelled(text)
    if obvious is not None:
        return f"write {obvious} (the form is X.Y.Z or X.Y.Z-preN)"
    return f"write {GRAMMAR_HINT}"


def version(text: str) -> None:
    """A release version: nothing that dpkg and rpm would order in different ways."""
    try:
        Version.parse(text)
    except ValueError:
        raise Complaint(
            Code.VERSION, f"{show(text)} is not a release version", _cure(text)
        ) from None


def _window(text: str, parse: Callable[[str], object], example: str) -> None:
    try:
        parse(text[:_LIMIT])
    except ValueError as error:
        message = str(error)
        if "is empty" in message:
            raise Complaint(
                Code.WINDOW,
                f"the window {show(text)} is empty",
                "raise its ceiling above its start",
            ) from None
        for part in re.findall(r"[^\s,<>=]+", text[:_LIMIT]):
            if message.startswith(f"{part!r} is not a version"):
                raise Complaint(
                    Code.WINDOW, f"{show(part)} is not a release version", _cure(part)
                ) from None
        raise Complaint(
            Code.WINDOW,
            f"{show(text)} is not a window that Interlock can keep",
            f"write '>= {text}', in quotes"
            if _begins_a_window(text, parse)
            else f"write {example}, in quotes; '<=' and '>' have no form that every package "
            "manager reads alike",
        ) from None


def _begins_a_window(text: str, parse: Callable[[str], object]) -> bool:
    """Whether somebody wrote the oldest that fits, and no more."""
    try:
        parse(f">= {text[:_LIMIT]}")
    except ValueError:
        return False
    return True


def schemas(text: str) -> None:
    """A window of schema versions."""
    _window(text, schema_window, "'>= 11' or '>= 11, < 20'")


def releases(text: str) -> None:
    """A window of release versions."""
    _window(text, version_window, "'>= 4.0.0' or '>= 4.0.0, < 5.0.0'")


def release_date(text: str) -> None:
    """A day that package managers can hold; rpm keeps seconds since 1970 in 32 bits."""
    try:
        day = (
            date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        )
    except ValueError:
        day = None
    if day is None:
        raise Complaint(
            Code.DATE,
            f"{show(text)} is not a day",
            "write the day of the release as YYYY-MM-DD, for example 2026-05-04",
        )
    if not 1980 <= day.year <= 2099:
        raise Complaint(
            Code.DATE,
            f"{show(text)} is outside what package formats can hold",
            "write the day of the release, between 1980 and 2099",
        )
