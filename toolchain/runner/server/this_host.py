"""What tells this host from others, and one boot of it from the next."""

from __future__ import annotations

import re
import socket
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_host() -> str:
    """The name under which this host registers."""
    return socket.gethostname()


def this_boot() -> str:
    """What no other boot shares, of this host or of a copy; empty where the kernel does not say."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return boot if re.fullmatch(r"[0-9a-f-]{1,64}", boot) else ""
