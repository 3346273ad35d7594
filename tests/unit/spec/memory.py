"""A product in memory, for tests that check thousands of them; it proves the seam, too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolchain.spec.tree import Kind


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands at a path."""

    kind: Kind
    size: int = 0
    mode: int = 0o644
    leads_to: str = ""


class Memory:
    """Files by path, the one `unreadable` aside; directories are whatever a path begins with."""

    def __init__(self, files: Mapping[str, bytes], *, unreadable: str | None = None) -> None:
        self._files = files
        self._unreadable = unreadable

    def shown(self, path: str) -> str:
        return f"product/{path}"

    def names(self) -> list[str]:
        return sorted({path.split("/")[0] for path in self._files})

    def look(self, path: str) -> Stored:
        if path == self._unreadable:
            return Stored("unreadable")
        if path in self._files:
            return Stored("file", len(self._files[path]))
        below = f"{path}/" if path else ""
        found = any(name.startswith(below) for name in self._files)
        return Stored("directory" if found else "missing")

    def walk(self, path: str) -> Iterator[tuple[str, Stored]]:
        for name in sorted(self._files):
            if name.startswith(f"{path}/"):
                yield name.removeprefix(f"{path}/"), self.look(name)

    def read(self, path: str, limit: int) -> bytes:
        return self._files[path][:limit]
