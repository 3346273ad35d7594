"""The hash of all that a package's bytes depend on; equal inputs need no second build."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from toolchain.build.targets import Planned
from toolchain.plan.entry import File, Payload


def package_inputs(planned: Planned, common: str, digest: Callable[[Path], str], root: Path) -> str:
    """SHA-256 in hex over the plan, the payload's bytes and `common` (templates and tools)."""
    package = planned.package
    state = hashlib.sha256(f"{common}\0{planned.format.value}\0{planned.compression}\0".encode())
    for name in package.__slots__:
        if name != "entries":
            state.update(f"{name}={getattr(package, name)!r}\0".encode())
    for entry in package.entries:
        state.update(f"{entry!r}\0".encode())
        if isinstance(entry, File) and isinstance(entry.content, Payload):
            state.update(digest(root / entry.content.path).encode())
    return state.hexdigest()
