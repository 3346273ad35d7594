"""What a spec can say of a systemd unit, and what it can't."""

import re
import shlex
from dataclasses import dataclass

_SECTIONS = re.compile(r"\s*\[([A-Za-z]+)\]\s*")
# What Interlock writes by itself, or what every service of it has anyway.
_OWN = frozenset({
    "Type", "Restart", "WantedBy", "Documentation", "RestartSec", "PrivateTmp", "ProtectSystem",
    "ProtectHome", "NoNewPrivileges", "Group", "StateDirectory", "KillMode", "Wants", "Requires",
})  # fmt: skip


class UnfitUnitError(Exception):
    """Why a unit is no service of a spec; the message follows "the unit NAME"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A service as a spec has it; `left` are its settings that no spec says."""

    name: str
    program: str
    arguments: tuple[str, ...]
    description: str = ""
    user: str = "root"
    after: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()


def read_unit(path: str, text: str) -> Unit:
    """The service of a unit file (systemd.syntax(7)); raises UnfitUnitError."""
    name = path.rpartition("/")[2].removesuffix(".service")
    if not path.endswith(".service"):
        raise UnfitUnitError("is no service")
    if "@" in name:
        raise UnfitUnitError("is a template of services")
    section, settings = "", list[tuple[str, str, str]]()
    for line in text.replace("\\\n", " ").splitlines():
        if (match := _SECTIONS.fullmatch(line)) is not None:
            section = match[1]
        elif "=" in line and not line.lstrip().startswith(("#", ";")):
            key, _, value = line.partition("=")
            settings.append((section, key.strip(), value.strip()))
    starts = [value for _, key, value in settings if key == "ExecStart" and value]
    if len(starts) != 1:
        raise UnfitUnitError(f"starts {len(starts) or 'no'} programs, and a service starts one")
    try:
        words = shlex.split(starts[0].lstrip("-@:+!|"))
    except ValueError:
        words = []
    if not words or not words[0].startswith("/"):
        raise UnfitUnitError("does not name its program by its full path")
    values = {key: value for _, key, value in settings}
    environment = []
    for _, key, value in settings:
        if key == "Environment":
            environment.extend(_assignments(value))
    taken = {"ExecStart", "User", "Description", "After", "Environment"}
    left = sorted({f"{key}={value}" for _, key, value in settings if key not in taken | _OWN})
    return Unit(
        name=name,
        program=words[0],
        arguments=tuple(words[1:]),
        description=values.get("Description", ""),
        user=values.get("User", "root"),
        after=tuple(values.get("After", "").split()),
        environment=tuple(environment),
        left=tuple(left),
    )


def _assignments(value: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(value)
    except ValueError:
        return []
    return [(word.partition("=")[0], word.partition("=")[2]) for word in words if "=" in word]
