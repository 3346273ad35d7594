"""What the start-up check remembers on its host: each shard's last answer, and what runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..core.document import Value, read_document
from ..core.errors import ConfigurationError, Refused, RunnerError
from ..core.law import Handshake
from ..core.written import read_versions
from .release_file import ServerRelease, read_release, release_data
from .this_host import this_boot
from .whole_file import write_whole


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
        known = sorted(path.stem for path in (self.folder / "instances").glob("*.json"))
        return tuple(name for name in known if self._entry(name) is not None)

    def add_instance(self, instance: str, release: ServerRelease) -> None:
        """Remember what an instance runs, so that `refresh` registers that and nothing newer."""
        content: dict[str, object] = {"boot": this_boot(), "release": release_data(release)}
        self._write(self._instance(instance), content)

    def running(self, instance: str) -> ServerRelease:
        """What an instance runs since its start, whatever has been installed meanwhile.

        Raises Refused where it did not register since this host was booted, or has stopped; and
        where it was started by a package that recorded no release yet.
        """
        entry = self._entry(instance)
        if entry is None:
            raise Refused(
                f"{instance} has not registered since this host was booted, or has stopped",
                "nothing is refreshed until it starts",
            )
        if entry.absent:
            raise Refused(
                f"{instance} was started by an older package, which left no word of its release",
                "its registration stays as it is until it is restarted",
            )
        return read_release(entry)

    def remove_instance(self, instance: str) -> None:
        """Forget an instance."""
        self._instance(instance).unlink(missing_ok=True)

    def _instance(self, instance: str) -> Path:
        return self.folder / "instances" / f"{instance}.json"

    def _entry(self, instance: str) -> Value | None:
        """What is recorded of an instance that can still run: one that started since the boot."""
        try:
            document = read_document(self._instance(instance), "instance")
            boot, release = document.fields("boot", optional=("release",))
        except RunnerError:
            return None
        return release if boot.raw == this_boot() else None

    def _write(self, path: Path, content: dict[str, object]) -> None:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            write_whole(path, json.dumps(content))
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
