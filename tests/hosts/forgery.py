"""What somebody in the middle, or on the web server, can make of a published repository.

Each attack changes a copy. A forged index is whole and consistent, and offers version 9.9.9 of a
package that the product really has: where a client believes the index, the client gets it.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.signing import Keys

from .commands import find_tool, run
from .recipes import Packaging
from .samples import Sample, build

CHANNEL = "stable"
PACKAGE = "fleetdesk-database"
FORGED = "9.9.9"
_RELEASE_DATE = "%a, %d %b %Y %H:%M:%S UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of a repository that may be changed, and the keys: the repository's and another."""

    root: Path
    keys: Keys
    own: str
    other: str
    # More options for gpg.
    signing: tuple[str, ...] = ()

    @property
    def suite(self) -> Path:
        """Where apt's index stands."""
        return self.root / "deb/dists" / CHANNEL

    @property
    def release(self) -> str:
        """The text that InRelease signs, without a blank line at its end."""
        return (self.suite / "Release").read_text().rstrip("\n")

    @property
    def metadata(self) -> Path:
        """Where dnf's newest index stands."""
        return (self.root / "rpm" / CHANNEL).resolve() / "repodata"

    def packages(self) -> list[Path]:
        """The published debs and rpms of the attacked package."""
        kinds = ("deb/pool/main/*/*.deb", "rpm/packages/*.rpm")
        found = [path for kind in kinds for path in self.root.glob(kind)]
        return [path for path in found if path.name.startswith(PACKAGE)]

    def sign_apt(self, text: str, key: str) -> None:
        """Write an InRelease over the text, and Release with its signature."""
        data = text.encode() + b"\n"
        signing = (*self.signing, "--local-user", f"{key}!", "--digest-algo", "SHA512")
        (self.suite / "InRelease").write_bytes(self.keys.gpg(*signing, "--clear-sign", stdin=data))
        (self.suite / "Release").write_bytes(data)
        detached = self.keys.gpg(*signing, "--armor", "--detach-sign", stdin=data)
        (self.suite / "Release.gpg").write_bytes(detached)

    def sign_dnf(self, key: str) -> None:
        """Sign repomd.xml."""
        data = (self.metadata / "repomd.xml").read_bytes()
        signing = (*self.signing, "--local-user", f"{key}!", "--armor", "--detach-sign")
        (self.metadata / "repomd.xml.asc").write_bytes(self.keys.gpg(*signing, stdin=data))

    def forge_apt(self) -> str:
        """Offer the forged deb; returns the Release that fits, which nobody has signed."""
        pool = self.root / "deb/pool/main/evil"
        sample = Sample(name=PACKAGE, version=FORGED)
        deb = build(sample, Packaging.DEB, pool)
        data = deb.read_bytes()
        control = run("dpkg-deb", "--field", str(deb)).stdout.rstrip("\n")
        stanza = (
            f"{control}\nFilename: {deb.relative_to(self.root / 'deb')}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
        lines = []
        for directory in sorted(self.suite.glob("main/binary-*")):
            index = (directory / "Packages").read_bytes() + b"\n" + stanza.encode()
            for name, content in (("Packages", index), ("Packages.gz", gzip.compress(index))):
                digest = hashlib.sha256(content).hexdigest()
                (directory / name).write_bytes(content)
                (directory / "by-hash/SHA256" / digest).write_bytes(content)
                path = (directory / name).relative_to(self.suite)
                lines.append(f" {digest} {len(content)} {path}")
        return self.release.partition("SHA256:")[0] + "SHA256:\n" + "\n".join(lines)

    def forge_dnf(self) -> None:
        """Offer the forged rpm in an index that nobody has signed."""
        packages = self.root / "rpm/packages"
        build(Sample(name=PACKAGE, version=FORGED), Packaging.RPM, packages)
        before = (self.metadata / "repomd.xml").read_text()
        stage = self.root / "forged"
        stage.mkdir()
        (stage / "packages").symlink_to(packages)
        tags = re.findall(r"<content>(.*?)</content>", before)
        (revision,) = re.findall(r"<revision>(.*?)</revision>", before)
        options = (f"--revision={revision}", *(f"--content={tag}" for tag in tags))
        command = (find_tool("createrepo_c") or "createrepo_c", "--quiet")
        run(*command, "--general-compress-type=gz", *options, str(stage))
        shutil.rmtree(self.metadata)
        (stage / "repodata").rename(self.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A change to a copy, and how each client says why it will have none of it, as a pattern."""

    name: str
    change: Callable[[Copy], None]
    apt: str
    dnf: str

    def __str__(self) -> str:
        return self.name


def _tamper_packages(copy: Copy) -> None:
    for package in copy.packages():
        data = bytearray(package.read_bytes())
        data[-20] ^= 1
        package.write_bytes(data)


def _tamper_index(copy: Copy) -> None:
    copy.forge_apt()
    signed = re.findall(r"^ (\w{64}) +\d+ (\S+)$", copy.release, re.MULTILINE)
    for digest, name in signed:
        path = copy.suite / name
        (path.parent / "by-hash/SHA256" / digest).write_bytes(path.read_bytes())
    before = (copy.metadata / "repomd.xml").read_bytes()
    signature = (copy.metadata / "repomd.xml.asc").read_bytes()
    (old,) = copy.metadata.glob("*primary.xml.gz")
    copy.forge_dnf()
    (new,) = copy.metadata.glob("*primary.xml.gz")
    new.rename(copy.metadata / old.name)
    (copy.metadata / "repomd.xml").write_bytes(before)
    (copy.metadata / "repomd.xml.asc").write_bytes(signature)


def _sign_by_another_key(copy: Copy) -> None:
    copy.sign_apt(copy.forge_apt(), copy.other)
    copy.forge_dnf()
    copy.sign_dnf(copy.other)


def _leave_unsigned(copy: Copy) -> None:
    text = copy.forge_apt()
    (copy.suite / "Release").write_text(text + "\n")
    (copy.suite / "InRelease").write_text(text + "\n")
    (copy.suite / "Release.gpg").unlink()
    copy.forge_dnf()


def _take_signed_away(copy: Copy) -> None:
    _leave_unsigned(copy)
    (copy.suite / "InRelease").unlink()


def _keep_the_old_signature(copy: Copy) -> None:
    """The signatures are genuine, and made over something else."""
    text = copy.forge_apt()
    signed = (copy.suite / "InRelease").read_text()
    (copy.suite / "InRelease").write_text(signed.replace(copy.release, text))
    (copy.suite / "Release").write_text(text + "\n")
    signature = (copy.metadata / "repomd.xml.asc").read_bytes()
    copy.forge_dnf()
    (copy.metadata / "repomd.xml.asc").write_bytes(signature)


def _say_two_messages(copy: Copy) -> None:
    """A genuine message, and then a forged one; the two signatures likewise for dnf."""
    genuine = (copy.suite / "InRelease").read_bytes()
    signature = (copy.metadata / "repomd.xml.asc").read_bytes()
    _sign_by_another_key(copy)
    forged = (copy.suite / "InRelease").read_bytes()
    (copy.suite / "InRelease").write_bytes(genuine + forged)
    with (copy.metadata / "repomd.xml.asc").open("ab") as file:
        file.write(signature)
    for name in ("Release", "Release.gpg"):
        (copy.suite / name).unlink()


def _write_before_the_message(copy: Copy) -> None:
    """The forged index, unsigned, and then the genuine message."""
    genuine = (copy.suite / "InRelease").read_bytes()
    text = (copy.forge_apt() + "\n\n").encode()
    (copy.suite / "InRelease").write_bytes(text + genuine)
    for name in ("Release", "Release.gpg"):
        (copy.suite / name).unlink()
    # What dnf has of the kind: a comment before the armor.
    signature = (copy.metadata / "repomd.xml.asc").read_bytes()
    copy.forge_dnf()
    (copy.metadata / "repomd.xml.asc").write_bytes(b"forged\n\n" + signature)


def _let_it_expire(copy: Copy) -> None:
    """What is served once nobody signs anew, or to somebody who shall not see a new release."""
    past = time.time() - 3600
    dates = {"Date": past - 86400, "Valid-Until": past}
    text = copy.release
    for field, seconds in dates.items():
        date = time.strftime(_RELEASE_DATE, time.gmtime(seconds))
        text = re.sub(rf"^{field}: .*$", f"{field}: {date}", text, flags=re.MULTILINE)
    copy.sign_apt(text, copy.own)
    repomd = copy.metadata / "repomd.xml"
    changed, count = re.subn(r"valid-until=\d+", f"valid-until={int(past)}", repomd.read_text())
    assert count == 1
    repomd.write_text(changed)
    copy.sign_dnf(copy.own)


TAMPERED_PACKAGE = Attack(
    name="tampered-package",
    change=_tamper_packages,
    apt="Hash Sum mismatch",
    dnf="checksum",
)
INDEX_ATTACKS = (
    Attack(name="tampered-index", change=_tamper_index, apt="unexpected size", dnf="hecksum"),
    Attack(
        name="index-signed-by-another-key", change=_sign_by_another_key, apt="NO_PUBKEY", dnf="GPG"
    ),
    Attack(name="unsigned-index", change=_leave_unsigned, apt="not signed", dnf="repomd.xml.asc"),
    Attack(name="no-inrelease", change=_take_signed_away, apt="not signed", dnf="repomd.xml.asc"),
    Attack(
        name="signature-of-another-index", change=_keep_the_old_signature, apt="BADSIG", dnf="GPG"
    ),
    Attack(name="two-messages", change=_say_two_messages, apt="NOSPLIT|Splitting up", dnf="GPG"),
    Attack(
        name="text-before-the-message",
        change=_write_before_the_message,
        apt="NOSPLIT|Splitting up",
        dnf="GPG",
    ),
    Attack(name="expired-index", change=_let_it_expire, apt="expired", dnf="valid until"),
)
