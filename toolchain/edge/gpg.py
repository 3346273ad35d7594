"""Signing with gpg: texts, data and rpms, by keys of the user's home or of a key file.

No secret passes through an argument, the environment or a log. A key file is imported into a home
of its own, in memory where there is room, whose agent ends with it.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from toolchain.edge.gpg_keys import Chosen, choose, read_keys
from toolchain.edge.process import Command, Finished, Processes
from toolchain.edge.rpm_signing import check_rpm_signatures, rpmsign
from toolchain.edge.secret_file import read_secret
from toolchain.errors import ToolError, UsageError
from toolchain.plan.client import PublicKey

_MEMORY = Path("/dev/shm")  # noqa: S108  (mkdtemp makes the name, 0700)
_PREFIX = "interlock-keys-"
# What gpg-agent needs to ask a person for a passphrase.
_ASKING = ("GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpg:
    """One gpg home and how its keys are unlocked."""

    home: Path
    environment: Mapping[str, str]
    passphrase_file: Path | None
    own: bool
    processes: Processes

    @property
    def unlocking(self) -> tuple[str, ...]:
        """Options that answer for the passphrase, or forbid to ask where nobody is asked."""
        if self.passphrase_file is not None:
            return ("--pinentry-mode", "loopback", "--passphrase-file", str(self.passphrase_file))
        return ("--pinentry-mode", "error") if self.own else ()

    def run(self, *arguments: str, stdin: bytes = b"") -> Finished:
        """Run gpg without the user's gpg.conf, whose digests and defaults aren't ours."""
        argv = ("gpg", "--batch", "--no-tty", "--no-options", "--status-fd", "2", *arguments)
        return self.processes.finish(Command(argv=argv, environment=self.environment, stdin=stdin))

    def succeed(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What gpg prints; raises UsageError on a passphrase that doesn't fit, else ToolError."""
        done = self.run(*arguments, stdin=stdin)
        if done.code == 0:
            return done.output
        if "Bad passphrase" in done.errors or "BAD_PASSPHRASE" in done.errors:
            raise UsageError("the passphrase does not open the key", "see --passphrase-file")
        if "inentry" in done.errors or "Inappropriate ioctl" in done.errors:
            raise UsageError(
                "the key is locked by a passphrase and nobody can be asked for it",
                "give it with --passphrase-file",
            )
        lines = [line for line in done.errors.splitlines() if not line.startswith("[GNUPG:]")]
        said = lines[-1].removeprefix("gpg: ") if lines else "it said nothing"
        raise ToolError(f"gpg failed: {said}", "see --verbose", output=done.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs with keys that were proved to sign; the first one is that of rpms and repomd.xml."""

    gpg: Gpg
    chosen: tuple[Chosen, ...]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The primary keys' fingerprints, forty digits each, in the order that was asked for."""
        return tuple(each.fingerprint for each in self.chosen)

    @property
    def expires(self) -> datetime | None:
        """When the first of the keys expires; None when none does."""
        return min((each.expires for each in self.chosen if each.expires), default=None)

    def clear(self, text: bytes) -> bytes:
        """The text with a signature of every key around it, as InRelease wants it."""
        return self._sign(self.chosen, "--clear-sign", stdin=text)

    def detached(self, data: bytes) -> bytes:
        """An armored signature by the first key alone: not every librepo reads a second one."""
        return self._sign(self.chosen[:1], "--armor", "--detach-sign", stdin=data)

    def _sign(self, chosen: Sequence[Chosen], *arguments: str, stdin: bytes) -> bytes:
        # The mark of exclamation keeps gpg from choosing another subkey.
        users = (part for each in chosen for part in ("--local-user", f"{each.part.fingerprint}!"))
        options = (*self.gpg.unlocking, "--digest-algo", "SHA512")
        return self.gpg.succeed(*options, *users, *arguments, stdin=stdin)

    def sign_rpms(self, paths: Sequence[Path]) -> None:
        """Sign rpms in place with the first key, and check each as a client's rpm would.

        Raises ToolError, and then some may be signed and others not: sign copies.
        """
        if not paths:
            return
        first = self.chosen[0]
        command = rpmsign(
            paths,
            key=f"{first.part.fingerprint}!",
            unlocking=self.gpg.unlocking,
            environment=self.gpg.environment,
        )
        self.gpg.processes.run(command)
        check_rpm_signatures(paths, self._export(first, "--armor"), self.gpg.processes)

    def public(self, *, armored: bool) -> bytes:
        """All public keys: an armored block each, or one binary keyring, as apt reads it."""
        options = ("--armor",) if armored else ()
        return b"".join(self._export(each, *options) for each in self.chosen)

    def public_keys(self) -> tuple[bytes, ...]:
        """Each public key as an armored block, in the signers' order."""
        return tuple(self._export(each, "--armor") for each in self.chosen)

    def described_keys(self) -> tuple[PublicKey, ...]:
        """Each public key with its fingerprint and its end, in the signers' order."""
        return tuple(
            PublicKey(fingerprint=each.fingerprint, expires=each.expires, armored=block)
            for each, block in zip(self.chosen, self.public_keys(), strict=True)
        )

    def _export(self, each: Chosen, *options: str) -> bytes:
        minimal = ("--export-options", "export-minimal")
        return self.gpg.succeed(*options, *minimal, "--export", each.fingerprint)


@contextmanager
def open_signer(
    keys: Sequence[str],
    *,
    key_file: Path | None = None,
    passphrase_file: Path | None = None,
    processes: Processes,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Signer]:
    """A signer by keys of the user's gpg home, or of `key_file`; each has signed once by then.

    `keys` are fingerprints or ids of sixteen digits; none at all means the one key of `key_file`.
    Raises UsageError on keys and files that won't do, ToolError when gpg is missing or fails.
    """
    if passphrase_file is not None:
        read_secret(passphrase_file, "passphrase file")
        passphrase_file = passphrase_file.absolute()
    if key_file is None:
        if not keys:
            raise UsageError("no key to sign with is named", "give --key or --key-file")
        home = Path(environment.get("GNUPGHOME") or Path(environment.get("HOME", "/")) / ".gnupg")
        if not home.is_dir():
            raise UsageError(f"there is no gpg home {home}", "set GNUPGHOME or give --key-file")
        own = {name: environment[name] for name in _ASKING if name in environment}
        own["GNUPGHOME"] = str(home.absolute())
        yield _signer(
            Gpg(
                home=home,
                environment=own,
                passphrase_file=passphrase_file,
                own=False,
                processes=processes,
            ),
            keys,
        )
        return
    secret = read_secret(key_file, "key file")
    with _own_home() as home:
        gpg = Gpg(
            home=home,
            environment={"GNUPGHOME": str(home)},
            passphrase_file=passphrase_file,
            own=True,
            processes=processes,
        )
        done = gpg.run(*gpg.unlocking, "--import", stdin=secret)
        if "[GNUPG:] IMPORT_OK" not in done.errors:
            raise UsageError(
                f"{key_file} holds no key", "export one with: gpg --export-secret-keys"
            )
        yield _signer(gpg, keys, key_file)


def _signer(gpg: Gpg, named: Sequence[str], key_file: Path | None = None) -> Signer:
    listing = gpg.succeed("--with-colons", "--fixed-list-mode", "--list-secret-keys")
    known = read_keys(listing.decode(errors="replace"))
    if key_file is not None and not named:
        if not known:
            raise UsageError(
                f"{key_file} holds no secret key", "export one with: gpg --export-secret-keys"
            )
        if len(known) > 1:
            several = ", ".join(key.primary.fingerprint for key in known)
            raise UsageError(
                f"{key_file} holds several keys: {several}", "name those that sign with --key"
            )
        named = [known[0].primary.fingerprint]
    chosen = tuple(choose(known, each) for each in named)
    signer = Signer(gpg=gpg, chosen=chosen)
    for fingerprint in signer.fingerprints:
        if signer.fingerprints.count(fingerprint) > 1:
            raise UsageError(f"the key {fingerprint} is named twice", "name it once")
    # Here, and not in the middle of a publication, a locked or broken key shows.
    signer.clear(b"one signature by each key\n")
    return signer


@contextmanager
def _own_home() -> Iterator[Path]:
    """A gpg home for secret keys, gone with its agent at the end, however the end comes.

    What a killed process left is taken away by the next; the lock tells that its owner is gone.
    """
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for leftover in place.glob(f"{_PREFIX}*"):
        _remove_if_left(leftover)
    home = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=place))
    try:
        with (home / "interlock.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Under the name that others look for it is locked already.
            home = home.rename(place / home.name.removeprefix("."))
            yield home
    finally:
        _end_home(home)


def _remove_if_left(home: Path) -> None:
    try:
        if home.is_symlink() or home.stat().st_uid != os.geteuid():
            return
        with (home / "interlock.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_home(home)
    except OSError:  # in use, or gone meanwhile
        return


def _end_home(home: Path) -> None:
    try:
        # Its own door to processes: an interrupted build's door is closed.
        kill = ("gpgconf", "--kill", "gpg-agent")
        Processes().finish(Command(argv=kill, environment={"GNUPGHOME": str(home)}))
    except ToolError:
        pass  # without gnupg there is no agent either
    finally:
        shutil.rmtree(home, ignore_errors=True)
