"""Signing with a real gpg: what is signed verifies, and what can't sign says why."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.signing import Keys, gpg_home
from tests.waiting import wait_until
from toolchain.edge.gpg import Signer, open_signer
from toolchain.edge.gpg_keys import choose, read_keys
from toolchain.edge.process import Processes
from toolchain.errors import InterlockError, UsageError

PROCESSES = Processes()


def gpgv(keyring: bytes, tmp_path: Path, *contents: bytes) -> "subprocess.CompletedProcess[str]":
    """Verify as apt does, with a keyring file and no trust of any other kind."""
    (tmp_path / "keyring.gpg").write_bytes(keyring)
    paths = []
    for number, content in enumerate(contents):
        paths.append(tmp_path / f"file{number}")
        paths[-1].write_bytes(content)
    return subprocess.run(
        ("gpgv", "--status-fd", "1", "--keyring", tmp_path / "keyring.gpg", *paths),
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(keys: Keys, *named: str, **options: Path) -> str:
    """The sentence with which a signer is refused."""
    with (
        pytest.raises(InterlockError) as caught,
        open_signer(named, processes=PROCESSES, environment=keys.environment, **options),
    ):
        pass
    assert caught.value.cure
    return str(caught.value)


@pytest.fixture(scope="session")
def old(signing: Keys) -> str:
    return signing.make("old", expires="1y")


@pytest.fixture(scope="session")
def new(signing: Keys) -> str:
    return signing.make("new", algorithm="rsa3072", expires="2y")


def test_every_key_signs_a_text_and_the_first_signs_data(
    signing: Keys, old: str, new: str, tmp_path: Path
) -> None:
    text = b"Origin: demo\n- dashes\nend\n"
    with open_signer([new, old], processes=PROCESSES, environment=signing.environment) as signer:
        assert signer.fingerprints == (new, old)
        assert signer.expires is not None
        assert abs(signer.expires - datetime.now(UTC) - timedelta(days=365)) < timedelta(days=2)
        clear, detached = signer.clear(text), signer.detached(text)
        both, blocks = signer.public(armored=False), signer.public(armored=True)
    done = gpgv(both, tmp_path, clear)
    assert done.returncode == 0
    assert done.stdout.count("VALIDSIG") == 2
    assert " 10 01 " in done.stdout  # SHA-512, a signature of a text
    assert gpgv(signing.public(new), tmp_path, detached, text).returncode == 0
    assert gpgv(signing.public(old), tmp_path, detached, text).returncode != 0
    assert gpgv(both, tmp_path, detached, text + b"!").returncode != 0
    assert blocks.count(b"BEGIN PGP PUBLIC KEY BLOCK") == 2
    assert b"PRIVATE" not in blocks


@pytest.mark.parametrize("algorithm", ["ed25519", "rsa4096"])
def test_rpms_are_signed_in_place_and_accepted_by_rpm(
    signing: Keys, small_rpm: Path, tmp_path: Path, algorithm: str
) -> None:
    key = signing.make(f"rpm-{algorithm}", algorithm=algorithm)
    paths = [tmp_path / "a b%d'.rpm", tmp_path / "two.rpm"]
    for path in paths:
        shutil.copy(small_rpm, path)
    with open_signer([key], processes=PROCESSES, environment=signing.environment) as signer:
        signer.sign_rpms(paths)
        public = signer.public(armored=True)
    (tmp_path / "key.asc").write_bytes(public)
    database = ("--dbpath", tmp_path / "db")
    subprocess.run(("rpmkeys", *database, "--import", tmp_path / "key.asc"), check=True)
    for path in paths:
        said = subprocess.run(
            ("rpmkeys", *database, "-Kv", path), capture_output=True, text=True, check=True
        ).stdout
        assert "SHA512 Signature" in said
        assert key[-8:].lower() in said


def test_a_subkey_signs_where_the_primary_key_only_certifies(
    signing: Keys, small_rpm: Path, tmp_path: Path
) -> None:
    primary = signing.make("offline", usage="cert")
    signing.gpg("--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "2y")
    rpm = Path(shutil.copy(small_rpm, tmp_path / "one.rpm"))
    with open_signer([primary], processes=PROCESSES, environment=signing.environment) as signer:
        assert signer.fingerprints == (primary,)
        assert signer.expires is not None
        assert gpgv(signer.public(armored=False), tmp_path, signer.clear(b"x\n")).returncode == 0
        signer.sign_rpms([rpm])


def test_a_key_file_is_used_without_the_users_home_and_leaves_nothing(
    signing: Keys, old: str, small_rpm: Path, tmp_path: Path
) -> None:
    key_file = signing.export_secret(tmp_path / "key.asc", old)
    nowhere = {"HOME": "/nonexistent"}
    rpm = Path(shutil.copy(small_rpm, tmp_path / "one.rpm"))
    with open_signer([], key_file=key_file, processes=PROCESSES, environment=nowhere) as signer:
        home = signer.gpg.home
        assert home.stat().st_mode & 0o777 == 0o700
        assert gpgv(signing.public(old), tmp_path, signer.clear(b"x\n")).returncode == 0
        signer.sign_rpms([rpm])
        assert agents_of(home)
    assert not home.exists()
    wait_until(lambda: not agents_of(home))


def agents_of(home: Path) -> list[str]:
    """The processes that serve this gpg home."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"gpg-agent") and os.fsencode(home) in command:
                found.append(process.name)
    return found


_INTERRUPTED = """
import sys
from pathlib import Path
from toolchain.edge.gpg import open_signer
from toolchain.edge.process import Processes
with open_signer([], key_file=Path(sys.argv[1]), processes=Processes()) as signer:
    print(signer.gpg.home, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_signer_leaves_no_secret_key(
    signing: Keys, old: str, tmp_path: Path, number: signal.Signals
) -> None:
    key_file = signing.export_secret(tmp_path / "key.asc", old)
    process = subprocess.Popen(
        (sys.executable, "-c", _INTERRUPTED, key_file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    home = Path(process.stdout.readline().strip())
    assert (home / "private-keys-v1.d").is_dir()
    process.send_signal(number)
    process.communicate()
    if number is signal.SIGKILL:  # nobody can clean up then; the next run does
        with open_signer([], key_file=key_file, processes=PROCESSES):
            pass
    assert not home.exists()
    wait_until(lambda: not agents_of(home))


def test_a_passphrase_comes_from_a_closed_file_and_is_seen_nowhere(
    signing: Keys, small_rpm: Path, tmp_path: Path
) -> None:
    key = signing.make("locked", passphrase="correct horse")
    key_file = signing.export_secret(tmp_path / "key.asc", key, passphrase="correct horse")
    passphrase = tmp_path / "pass phrase%d's"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse\n")
    spy = Spy()
    rpm = Path(shutil.copy(small_rpm, tmp_path / "one.rpm"))
    with open_signer([key], key_file=key_file, passphrase_file=passphrase, processes=spy) as signer:
        signer.sign_rpms([rpm])
    assert "--clear-sign" in spy.seen
    assert "correct horse" not in spy.seen
    assert "PRIVATE" not in spy.seen

    locked = refusal(signing, key, key_file=key_file)
    assert "locked by a passphrase" in locked
    assert "--passphrase-file" in locked
    passphrase.write_text("wrong\n")
    wrong = refusal(signing, key, key_file=key_file, passphrase_file=passphrase)
    assert "the passphrase does not open the key" in wrong


class Spy(Processes):
    """Keeps what other people on the machine could see of each process."""

    seen = ""

    def finish(self, command, stdout=None):  # type: ignore[no-untyped-def]
        self.seen += repr((command, command.argv, command.environment))
        done = super().finish(command, stdout)
        self.seen += repr(done)
        return done


@pytest.mark.parametrize(
    ("mode", "fits"), [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o660, False)]
)
def test_a_key_file_open_to_others_is_refused_with_its_mode(
    signing: Keys, old: str, tmp_path: Path, mode: int, fits: bool
) -> None:
    key_file = signing.export_secret(tmp_path / "key.asc", old)
    key_file.chmod(mode)
    if fits:
        with open_signer([], key_file=key_file, processes=PROCESSES) as signer:
            assert signer.fingerprints == (old,)
        return
    sentence = refusal(signing, key_file=key_file)
    assert f"(mode {mode:04o})" in sentence
    assert "chmod 0600" in sentence
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("x")
    passphrase.chmod(mode)
    assert "the passphrase file" in refusal(signing, old, passphrase_file=passphrase)


def test_what_is_no_key_file_is_refused(signing: Keys, old: str, new: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch(mode=0o600)
    assert "holds no key" in refusal(signing, key_file=empty)
    assert "cannot read" in refusal(signing, key_file=tmp_path / "none")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no regular file" in refusal(signing, key_file=pipe)
    empty.write_bytes(signing.public(old))
    assert "holds no secret key" in refusal(signing, key_file=empty)
    assert "there is no secret key" in refusal(signing, old, key_file=empty)
    both = signing.export_secret(tmp_path / "both", old, new)
    several = refusal(signing, key_file=both)
    assert "several keys" in several
    assert old in several
    assert new in several
    with open_signer([new], key_file=both, processes=PROCESSES) as signer:
        assert signer.fingerprints == (new,)


def test_keys_that_cannot_sign_are_refused_with_the_reason(signing: Keys, old: str) -> None:
    assert "is short" in refusal(signing, old[-8:])
    assert "is short" in refusal(signing, "0x" + old[-8:].lower())
    assert "is no key id" in refusal(signing, "old@example.com")
    assert "is no key id" in refusal(signing, "--output=/tmp/x")
    assert "there is no secret key" in refusal(signing, "0" * 40)
    assert "is named twice" in refusal(signing, old, old[-16:])
    assert "no key to sign with" in refusal(signing)
    dsa = signing.make("weak", algorithm="rsa1024")
    assert "too weak" in refusal(signing, dsa)
    with open_signer(
        [f"0x{old[-16:].lower()}"], processes=PROCESSES, environment=signing.environment
    ) as signer:
        assert signer.fingerprints == (old,)


def test_an_expired_a_revoked_and_an_absent_key_are_refused() -> None:
    with gpg_home() as keys:
        expired = keys.make("expired", expires="seconds=1")
        revoked = keys.make("revoked")
        certificate = keys.home / "openpgp-revocs.d" / f"{revoked}.rev"
        # gpg guards its own revocation certificates with a colon that a person has to remove.
        keys.gpg("--import", stdin=certificate.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
        absent = keys.make("absent")
        listing = keys.gpg("--with-colons", "--with-keygrip", "--list-secret-keys", absent)
        grip = next(row for row in listing.decode().splitlines() if row.startswith("grp"))
        (keys.home / "private-keys-v1.d" / f"{grip.split(':')[9]}.key").unlink()
        while datetime.now(UTC).timestamp() < _expiry(keys, expired) + 1:
            time.sleep(0.1)
        day = datetime.fromtimestamp(_expiry(keys, expired), UTC).date()
        assert f"the key {expired} expired on {day}" in refusal(keys, expired)
        assert f"the key {revoked} is revoked" in refusal(keys, revoked)
        assert "there is no secret key" in refusal(keys, absent)
        # Without the key, the choice of keys is the whole of it.
        with open_signer(
            [keys.make("well")], processes=PROCESSES, environment=keys.environment
        ) as signer:
            assert isinstance(signer, Signer)


def _expiry(keys: Keys, fingerprint: str) -> int:
    listing = keys.gpg("--with-colons", "--list-keys", fingerprint).decode()
    return int(next(row for row in listing.splitlines() if row.startswith("pub")).split(":")[6])


def test_a_stub_whose_secret_part_is_elsewhere_is_refused(signing: Keys, tmp_path: Path) -> None:
    primary = signing.make("stub", usage="sign")
    signing.gpg("--passphrase", "", "--quick-add-key", primary, "cv25519", "encr", "0")
    only_subkeys = signing.gpg("--passphrase", "", "--export-secret-subkeys", primary)
    key_file = tmp_path / "stub.gpg"
    key_file.touch(mode=0o600)
    key_file.write_bytes(only_subkeys)
    assert "the secret part of the key" in refusal(signing, primary, key_file=key_file)


def test_an_id_of_sixteen_digits_that_two_keys_share_is_ambiguous() -> None:
    row = "sec:u:255:22:{id}:1700000000:::u:::sc:::+:::23::0:\nfpr:::::::::{fpr}:\n"
    same = "8F30D93AE329E6BD"
    listing = "".join(row.format(id=same, fpr=start * 24 + same) for start in "AB")
    keys = read_keys(listing)
    assert len(keys) == 2
    with pytest.raises(UsageError, match="belongs to several keys; name the fingerprint"):
        choose(keys, same)
    assert choose(keys, "B" * 24 + same).fingerprint.startswith("B")


def test_a_missing_gpg_is_named_with_its_package(
    signing: Keys, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.edge.process._SYSTEM_PATH", "/nonexistent")
    assert refusal(signing, old) == (
        "gpg is not installed; install gnupg (Debian) or gnupg2 (Fedora)"
    )


def test_the_users_gpg_conf_does_not_weaken_a_signature(tmp_path: Path) -> None:
    with gpg_home() as keys:
        key = keys.make("configured")
        (keys.home / "gpg.conf").write_text("digest-algo SHA1\narmor\ncomment hello\n")
        with open_signer([key], processes=PROCESSES, environment=keys.environment) as signer:
            clear, binary = signer.clear(b"x\n"), signer.public(armored=False)
    assert b"Hash: SHA512" in clear
    assert b"hello" not in clear
    assert not binary.startswith(b"-----")
