"""What the start-up check remembers on its host: each shard's last answer, and the instances."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .document import read_document
from .errors import ConfigurationError, RunnerError
from .law import Handshake
from .manifest_file import read_versions

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Reading:
    """A shard's last answer; `at` is this host's clock, in seconds since 1970."""

    handshake: Handshake
    at: float


@dataclass(frozen=True)
class Memory:
    """The directory that keeps them; each file is written beside and renamed into place."""

    folder: Path

    def keep(self, shard: str, reading: Reading) -> None:
        """Remember a shard's answer; raises ConfigurationError where the folder takes none."""
        servers = reading.handshake.servers
        self._write(
            self.folder / "shards" / f"{shard}.json",
            {
                "schema": reading.handshake.schema,
                "servers": {"oldest": servers.oldest, "below": servers.below},
                "at": int(reading.at),
            },
        )

    def last(self, shard: str) -> Reading | None:
        """A shard's last answer, or None where there is none that can be read."""
        try:
            document = read_document(self.folder / "shards" / f"{shard}.json", "last reading")
            schema, servers, at = document.fields("schema", "servers", "at")
            if not isinstance(at.raw, int):
                return None
            return Reading(Handshake(schema.whole(), read_versions(servers)), float(at.raw))
        except RunnerError:
            return None

    def instances(self) -> tuple[str, ...]:
        """The instances that registered since this host was booted and have not stopped."""
        folder = self.folder / "instances"
        return tuple(sorted(path.stem for path in folder.glob("*.json") if _since_boot(path)))

    def add_instance(self, instance: str) -> None:
        """Remember an instance, so that `refresh` knows it."""
        self._write(self.folder / "instances" / f"{instance}.json", {"boot": _boot()})

    def remove_instance(self, instance: str) -> None:
        """Forget an instance."""
        (self.folder / "instances" / f"{instance}.json").unlink(missing_ok=True)

    def _write(self, path: Path, content: dict[str, object]) -> None:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
            Path(name).replace(path)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write {path}: {error.strerror}",
                f"the service's user needs to own {self.folder}",
            ) from error


@dataclass(frozen=True)
class LentMemory:
    """What the services of this host remember, for somebody who only looks.

    Each service has a directory of its own in `folder`.
    """

    folder: Path

    def keep(self, shard: str, reading: Reading) -> None:
        """Leave it to the services to remember."""

    def last(self, shard: str) -> Reading | None:
        """The youngest answer of a shard that a service remembers."""
        memories = sorted(path.parent for path in self.folder.glob("*/shards"))
        found = [memory.last(shard) for memory in map(Memory, memories)]
        known = [reading for reading in found if reading is not None]
        return max(known, key=lambda reading: reading.at, default=None)


def _boot() -> str:
    """What tells one boot of this host from the next; empty where the kernel does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _since_boot(path: Path) -> bool:
    """Whether an instance can still run: those of before a power cut do not."""
    try:
        (boot,) = read_document(path, "instance").fields("boot")
    except RunnerError:
        return False
    return boot.raw == _boot()
