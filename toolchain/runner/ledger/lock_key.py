"""The numbers of the advisory locks."""

from __future__ import annotations

import hashlib


def lock_key(name: str) -> int:
    """The advisory lock's number, a signed 64-bit one, for a product or for `ledger` itself."""
    digest = hashlib.sha256(f"interlock:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
