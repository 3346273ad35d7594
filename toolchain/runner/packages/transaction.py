"""What a package manager is about to do, as its hook tells it: one change for each package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ConfigurationError

_APT_FIELDS = 9
_CONFIGURE, _REMOVE = "**CONFIGURE**", "**REMOVE**"


@dataclass(frozen=True)
class Change:
    """One package that comes in, by the file that would be installed, or that goes."""

    name: str
    version: str
    file: Path | None

    @property
    def goes(self) -> bool:
        """Whether the package is removed, and nothing of its name comes in."""
        return self.file is None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_apt(text: str) -> tuple[Change, ...]:
    """Read protocol 3 of DPkg::Pre-Install-Pkgs (apt.conf(5)).

    What is only configured was unpacked earlier and is no change. Raises ConfigurationError for
    another protocol or a line that is not of it.
    """
    head, _, rest = text.partition("\n")
    configuration, blank, actions = rest.partition("\n\n")
    if head != "VERSION 3" or not (blank or configuration.startswith("\n")):
        raise ConfigurationError(
            "apt did not tell its hook what it is about to do",
            "DPkg::Tools::Options must ask for protocol version 3",
        )
    lines = (actions if blank else configuration).splitlines()
    return tuple(change for line in lines if line for change in _read_action(line))


def _read_action(line: str) -> tuple[Change, ...]:
    # NAME, then version, architecture and multi-arch of old and new around a comparison, then what.
    fields = line.split(" ", _APT_FIELDS - 1)
    if len(fields) != _APT_FIELDS:
        raise ConfigurationError(f"apt told its hook a line that nobody understands: {line[:80]}")
    name, old, new, action = fields[0], fields[1], fields[5], fields[8]
    if action == _CONFIGURE:
        return ()
    if action == _REMOVE:
        return (Change(name, old, None),)
    return (Change(name, new, Path(action)),)


def read_lines(text: str) -> tuple[Change, ...]:
    """Read what the hooks of dnf write: `NAME VERSION-RELEASE FILE`, the file `-` where it goes."""
    return tuple(_read_line(line) for line in text.splitlines() if line)


def _read_line(line: str) -> Change:
    fields = line.split(" ", 2)
    if len(fields) != 3:
        raise ConfigurationError(f"the hook was told a line that nobody understands: {line[:80]}")
    name, version, file = fields
    return Change(name, version, None if file == "-" else Path(file))


def coming(changes: Sequence[Change]) -> tuple[tuple[Change, Path], ...]:
    """The packages that come in, each with its file."""
    return tuple((change, change.file) for change in changes if change.file is not None)
