"""What Flyway's configuration says of placeholders, and their values put into scripts."""

import re
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.texts import read_text

_SETTING = re.compile(r"\s*(?:flyway\.)?([A-Za-z.]+)\s*=\s*\"?([^\"\n]*?)\"?\s*")
_CONFIGURATIONS = ("flyway.conf", "flyway.toml", "conf/flyway.conf")
_MOST_ASKED = 10


class Placeholders:
    """The values of placeholders; those without one are gathered, and asked for together."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        """Take `values`, and before them what a flyway.conf in or above the folder says."""
        settings = _settings(folder)
        self._known = {
            name.removeprefix("placeholders."): value
            for name, value in settings.items()
            if name.startswith("placeholders.")
        } | dict(values)
        self._known.setdefault("flyway:defaultSchema", settings.get("defaultSchema", "public"))
        self._on = _yes(settings)
        prefix = re.escape(settings.get("placeholderPrefix", "${"))
        suffix = re.escape(settings.get("placeholderSuffix", "}"))
        self._written = re.compile(rf"{prefix}([^{{}}\n]{{1,200}}?){suffix}")
        self._missing: dict[str, str] = {}

    def text_of(self, path: Path) -> str:
        """A script's text with the values in it; NAME.sql.conf beside it may switch that off."""
        text = read_text(path)
        own = path.with_name(f"{path.name}.conf")
        if not self._on or (own.is_file() and not _yes(_settings_in(own))):
            return text

        def value(match: re.Match[str]) -> str:
            if match[1] not in self._known:
                line = text.count("\n", 0, match.start()) + 1
                self._missing.setdefault(match[1], f"{path}:{line}: the placeholder {match[0]}")
            return self._known.get(match[1], match[0])

        return self._written.sub(value, text)

    def require_all(self) -> None:
        """Raise UsageError where a script that was read had one without a value."""
        if not self._missing:
            return
        names = list(self._missing)[:_MOST_ASKED]
        others = f", and so have {', '.join(names[1:])}" if len(names) > 1 else ""
        asked = " ".join(f"--define {name}=VALUE" for name in names)
        raise UsageError(f"{self._missing[names[0]]} has no value{others}", f"give it: {asked}")


def _yes(settings: Mapping[str, str]) -> bool:
    return settings.get("placeholderReplacement", "true").lower() != "false"


def _settings(folder: Path) -> dict[str, str]:
    """The settings of all configurations in the folder and above it; the nearest come first."""
    found: dict[str, str] = {}
    for above in (folder, folder.parent):
        for name in _CONFIGURATIONS:
            path = above / name
            if path.is_file():
                found = _settings_in(path) | found
    return found


def _settings_in(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    prefix = ""
    for line in read_text(path).splitlines():
        if section := re.fullmatch(r"\s*\[(?:flyway\.?)?([\w.]*)\]\s*", line):
            prefix = f"{section[1]}." if section[1] else ""
        elif (match := _SETTING.fullmatch(line)) and not line.lstrip().startswith("#"):
            found.setdefault(prefix + match[1], match[2])
    return found
