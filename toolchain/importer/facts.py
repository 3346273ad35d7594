"""What is known of a package that someone else made, whatever it was read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from toolchain.model.carried import Carried
from toolchain.model.release import Format
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to tell about the import: what was taken from `where`, or left to a person."""

    text: str
    where: str = ""
    decide: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


class Kind(Enum):
    """What stands at a path that a package installs."""

    FILE = "file"
    CONFIG = "configuration file"
    DIRECTORY = "directory"
    LINK = "link"
    SPECIAL = "device, socket or pipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One path on the customer's host; `mode` is None where the source does not say it.

    `source` is the path that a configuration copies from; a package has the content itself.
    """

    path: str
    kind: Kind = Kind.FILE
    mode: int | None = None
    owner: str = "root"
    group: str = "root"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One package of one version.

    `version` is the release that it is taken for, `full_version` what the package says, with epoch
    and revision. `base` is the directory that a configuration's sources begin in, empty for a
    package. `scripts` are maintainer scripts by name, `units` systemd units by path: both are read
    and never run. Texts are as found, and nothing of them has been checked.
    """

    where: str
    name: str
    version: Version
    base: str = ""
    full_version: str = ""
    format: Format | None = None
    architecture: str = "all"
    texts: Mapping[str, str] = field(default_factory=dict)
    day: date | None = None
    relations: tuple[Carried, ...] = ()
    installed: tuple[Installed, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
