"""What publishing asks of whoever signs; toolchain.edge.gpg has one."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from toolchain.plan.client import PublicKey


class Signs(Protocol):
    """Signatures by the keys of a repository; every method may raise ToolError."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The keys' fingerprints; the first one signs rpms and yum indexes."""
        ...

    @property
    def expires(self) -> datetime | None:
        """When the first of the keys expires; None when none does."""
        ...

    def clear(self, text: bytes) -> bytes:
        """The text with every key's signature around it."""
        ...

    def detached(self, data: bytes) -> bytes:
        """An armored signature over the data."""
        ...

    def sign_rpms(self, paths: Sequence[Path]) -> None:
        """Sign rpms in place."""
        ...

    def described_keys(self) -> tuple[PublicKey, ...]:
        """The public keys, in the order of the fingerprints."""
        ...
