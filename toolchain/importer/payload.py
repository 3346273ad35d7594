"""The files of packages, copied into a product: inside its payload, of bounded size, no links."""

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from toolchain.edge.cpio import CpioError, Readable, regular_files
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.importer.archive import open_deb, unpacked
from toolchain.importer.facts import Facts, Kind
from toolchain.importer.texts import inside
from toolchain.model.release import Format

# The most that one product's payload may hold, in bytes.
_LARGEST = 8 << 30
_CHUNK = 1 << 20


class Extraction:
    """Writes below one directory; counts what it has written."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written = 0

    def take(self, facts: Facts, sources: Mapping[str, str], processes: Processes) -> None:
        """Write what `sources` names, by place in the payload; raises UsageError."""
        if facts.base:
            self._copy(Path(facts.base), sources)
            return
        modes = {each.path: each.mode for each in facts.installed if each.kind is not Kind.LINK}
        places = {source: place for place, source in sources.items()}
        with _contents(facts, processes) as contents:
            for path, file in contents:
                if path in places:
                    self._write(path, places[path], file, modes.get(path))

    def _copy(self, base: Path, sources: Mapping[str, str]) -> None:
        """Copy what a configuration names; what is not built yet is left for check to find."""
        for place, source in sources.items():
            path = base / source
            if not path.is_file():
                continue
            if not inside(base, path):
                raise UsageError(f"{path} leads out of {base}", "copy it by hand")
            with path.open("rb") as file:
                self._write(str(path), place, file, path.stat().st_mode)

    def _write(self, path: str, target: str, file: Readable, mode: int | None) -> None:
        place = self._root / target
        if target.endswith(".gz") and "/share/man/" in path:
            place = place.with_suffix("")
            file = cast("Readable", gzip.GzipFile(fileobj=cast("IO[bytes]", file)))
        # What `sources` names was checked to stay inside; nothing below is a link, as none is made.
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            try:
                while chunk := file.read(_CHUNK):
                    self._written += writer.write(chunk)
                    if self._written > _LARGEST:
                        raise UsageError(
                            "the packages hold more than 8 GiB", "import fewer releases at a time"
                        )
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise UsageError(f"{path} is damaged: {error}", "fetch it again") from error
        place.chmod(0o755 if (mode or 0) & 0o111 else 0o644)


@contextmanager
def _contents(facts: Facts, processes: Processes) -> Iterator[Iterator[tuple[str, Readable]]]:
    """The regular files of a package, by path on the host."""
    path = Path(facts.where)
    if facts.format is Format.DEB:
        with open_deb(path, processes) as tar:
            yield (
                ("/" + member.name.removeprefix(".").strip("/"), file)
                for member in tar
                if member.isreg() and (file := tar.extractfile(member)) is not None
            )
        return
    with unpacked(path, ("rpm2cpio",), processes) as archive, archive.open("rb") as content:
        try:
            yield regular_files(content)
        except CpioError as error:
            raise UsageError(f"{path} is damaged: {error}", "fetch it again") from error
