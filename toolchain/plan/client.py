"""What a customer's host must know of a repository: its address, channels and keys."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from toolchain.plan.armor import dearmored

_PRODUCT = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# Characters that mean themselves in a .sources file, a .repo file (which has `$` variables), a
# shell command and HTML; a name or password before an `@` is not among them.
_URL = re.compile(
    r"(?:https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?|file://)"
    r"(?:/[A-Za-z0-9._~+-]+)*"
)
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")


def require_url(url: str) -> str:
    """The address of a repository without a slash at its end; raises ValueError."""
    address = url.rstrip("/")
    if "@" in address:
        raise ValueError(
            f"the address {address.rpartition('@')[2]} holds a user name or a password, which every"
            " customer would read: give it without"
        )
    if _URL.fullmatch(address) is None or address == "file:/":
        raise ValueError(
            f"{url!r} is no address of a repository: write https://HOST or https://HOST/PATH, with"
            " letters, digits and ._~+- in the path"
        )
    if {".", ".."} & set(address.split("/")):
        raise ValueError(f"{url!r} holds a way up: write the address that it leads to")
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key of a repository: its fingerprint, when it ends, and its armored block."""

    fingerprint: str
    expires: datetime | None
    armored: bytes

    @property
    def grouped(self) -> str:
        """The fingerprint as gpg shows it, in ten groups with a gap in the middle."""
        groups = [self.fingerprint[at : at + 4] for at in range(0, 40, 4)]
        return " ".join(groups[:5]) + "  " + " ".join(groups[5:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSetup:
    """One state of a repository's client set-up; `serial` rises with each that differs.

    `enabled` are the channels that a host follows without being told more. `former` keys sign no
    more, and have signed rpms that are still offered: rpm goes on trusting them, apt does not.
    """

    product: str
    summary: str
    url: str
    channels: tuple[str, ...]
    enabled: tuple[str, ...]
    keys: tuple[PublicKey, ...]
    former: tuple[PublicKey, ...] = ()
    maintainer: str
    homepage: str
    licence: str
    copyright: str
    serial: int
    date: date

    def __post_init__(self) -> None:
        if _PRODUCT.fullmatch(self.product) is None:
            raise ValueError(f"{self.product!r} is no name of a product")
        if require_url(self.url) != self.url:
            raise ValueError(f"{self.url!r} ends with a slash: leave it out")
        if not self.channels or not self.enabled or not set(self.enabled) <= set(self.channels):
            raise ValueError("one of the repository's channels must be enabled")
        for channel in self.channels:
            if _PRODUCT.fullmatch(channel) is None:
                raise ValueError(
                    f"{channel!r} is no name of a channel: write a word such as stable"
                )
        if not self.keys or any(
            _FINGERPRINT.fullmatch(key.fingerprint) is None for key in self.keys
        ):
            raise ValueError("a repository's clients need its keys, with whole fingerprints")
        if self.serial < 1:
            raise ValueError(f"{self.serial} is no number of a client package: count from 1")
        for text in (self.summary, self.maintainer, self.homepage, self.licence, self.copyright):
            if not text or not text.isprintable():
                raise ValueError(f"{text!r} is no line of a package")

    @property
    def package(self) -> str:
        """The name of the client package."""
        return f"{self.product}-repository"

    @property
    def deb_file(self) -> str:
        """The file name of the deb."""
        return f"{self.package}_{self.serial}-1_all.deb"

    @property
    def rpm_file(self) -> str:
        """The file name of the rpm."""
        return f"{self.package}-{self.serial}-1.noarch.rpm"

    def repository_id(self, channel: str) -> str:
        """What dnf calls a channel."""
        return f"{self.product}-{channel}"

    @property
    def keyring_path(self) -> str:
        """Where apt's keyring stands on a host."""
        return f"/usr/share/keyrings/{self.product}-archive-keyring.gpg"

    @property
    def rpm_key_path(self) -> str:
        """Where the keys for rpm stand on a host."""
        return f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{self.product}"

    @property
    def keyring(self) -> bytes:
        """All keys in one binary file, as apt's `Signed-By` reads it."""
        return b"".join(dearmored(key.armored) for key in self.keys)

    @property
    def key_blocks(self) -> bytes:
        """All keys as armored blocks one after another, as rpm and dnf read them."""
        return b"".join(key.armored for key in (*self.keys, *self.former))
