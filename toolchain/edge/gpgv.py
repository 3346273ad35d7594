"""Detached signatures against a keyring of one's own; the user's gpg has no say in it."""

import base64
import binascii
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.edge.small_file import read_small
from toolchain.errors import UsageError

_LONGEST_KEYRING = 16 << 20
_ARMOR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(?:[^\r\n]*: [^\r\n]*\r?\n)*(?:[ \t]*\r?\n)?"
    rb"([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?\s*-----END PGP PUBLIC KEY BLOCK-----"
)
# What gpgv says of a signature that it could check, and what that means (GnuPG, doc/DETAILS).
_REFUSALS = {
    "BADSIG": "its signature is broken",
    "EXPSIG": "its signature has expired",
    "EXPKEYSIG": "it is signed by a key that has expired",
    "REVKEYSIG": "it is signed by a key that was revoked",
    "ERRSIG": "it is signed by another key than the keyring's",
}


class SignatureError(ValueError):
    """A signature that proves nothing; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Public keys in a scratch home; `path` is binary, as gpgv wants it."""

    home: Path
    path: Path
    processes: Processes

    def signer(self, data: bytes, signature: bytes) -> str:
        """The primary key's fingerprint; raises SignatureError, and ToolError without gpgv."""
        with tempfile.NamedTemporaryFile(dir=self.home) as file:
            file.write(signature)
            file.flush()
            argv = (
                *("gpgv", "--homedir", str(self.home), "--keyring", str(self.path)),
                *("--status-fd", "1", file.name, "-"),
            )
            done = self.processes.finish(Command(argv=argv, stdin=data))
        verdicts = []
        for line in done.text.splitlines():
            mark, _, rest = line.removeprefix("[GNUPG:] ").partition(" ")
            if mark in _REFUSALS or mark == "GOODSIG":
                verdicts.append(mark)
            elif mark == "VALIDSIG" and verdicts[-1:] == ["GOODSIG"] and done.code == 0:
                return rest.split()[-1]
        raise SignatureError(_REFUSALS[verdicts[0]] if verdicts else "its signature is none of gpg")


@contextmanager
def open_keyring(path: Path, processes: Processes) -> Iterator[Keyring]:
    """A keyring from a file of public keys, armored or binary; raises UsageError on any other."""
    try:
        content = read_small(path, _LONGEST_KEYRING)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"the keyring {path} can't be read: {said}", "name a file") from error
    keys = _binary(content)
    if keys is None:
        raise UsageError(
            f"{path} holds no public key", "export one with: gpg --export KEY > keyring.gpg"
        )
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        ring = Path(directory, "keyring.gpg")
        ring.write_bytes(keys)
        yield Keyring(home=Path(directory), path=ring, processes=processes)


def _binary(content: bytes) -> bytes | None:
    """The keys without armor, which gpgv can't read; None where there are none."""
    try:
        blocks = [base64.b64decode(block, validate=False) for block in _ARMOR.findall(content)]
    except binascii.Error:
        return None
    keys = b"".join(blocks) or content
    # A public key packet in either header form (RFC 4880 §4.2), or gpg's keybox.
    return keys if keys[:1] in (b"\x98", b"\x99", b"\xc6") or keys[8:12] == b"KBXf" else None
