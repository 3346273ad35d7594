"""Throw-away gpg keys for tests, in a home of their own."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A gpg home; keys made here have no passphrase unless one is given."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The process environment in which gpg uses this home."""
        return {**os.environ, "GNUPGHOME": str(self.home)}

    def gpg(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What gpg prints, unattended."""
        return subprocess.run(
            ("gpg", "--batch", "--pinentry-mode", "loopback", *arguments),
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=True,
        ).stdout

    def make(
        self,
        name: str,
        *,
        algorithm: str = "ed25519",
        expires: str = "0",
        passphrase: str = "",
        usage: str = "sign",
    ) -> str:
        """A new key's fingerprint; `expires` is gpg's: 1y, seconds=5, an ISO date, 0 for never."""
        user = f"{name} <{name}@example.com>"
        unlocked = ("--passphrase", passphrase)
        self.gpg(*unlocked, "--quick-generate-key", user, algorithm, usage, expires)
        listing = self.gpg("--with-colons", "--list-keys", f"={user}").decode()
        return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))

    def export_secret(self, path: Path, *fingerprints: str, passphrase: str = "") -> Path:
        """A key file as `--key-file` wants it."""
        unlocked = ("--passphrase", passphrase)
        path.touch(mode=0o600)
        path.write_bytes(self.gpg(*unlocked, "--armor", "--export-secret-keys", *fingerprints))
        return path

    def public(self, *fingerprints: str) -> bytes:
        """A binary keyring of public keys."""
        return self.gpg("--export", *fingerprints)


@contextmanager
def gpg_home() -> Iterator[Keys]:
    """An empty home; its path is short, as the agent's socket wants it. The agent ends with it."""
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as home:
        keys = Keys(home=Path(home))
        try:
            yield keys
        finally:
            subprocess.run(("gpgconf", "--kill", "gpg-agent"), env=keys.environment, check=False)
