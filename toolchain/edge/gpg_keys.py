"""Which keys a gpg home holds and which of them signs, read from gpg's listing for programs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from toolchain.errors import UsageError

_SHORT = re.compile(r"(?:0x)?[0-9A-F]{8}", re.IGNORECASE)
_NAMED = re.compile(r"(?:0x)?([0-9A-F]{16}|[0-9A-F]{40})", re.IGNORECASE)
_LIST = "list yours with: gpg --list-secret-keys --keyid-format long"
# Algorithms by number, RFC 4880 §9.1; what apt 3.0 and rpm 4.20 no longer trust is left out.
_RSA, _ECDSA, _EDDSA = "1", "19", "22"
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A primary key or a subkey, as gpg lists it."""

    fingerprint: str
    validity: str
    algorithm: str
    bits: int
    created: int
    expires: datetime | None
    capabilities: str
    secret: bool

    @property
    def signs(self) -> bool:
        """Whether it may make signatures now, and its secret part is at hand."""
        return self.secret and "s" in self.capabilities and self.validity not in {"e", "r", "i"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A primary key with its subkeys."""

    primary: Part
    subkeys: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The primary key first."""
        return (self.primary, *self.subkeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A key that signs, and the part of it that makes the signatures."""

    key: Key
    part: Part

    @property
    def fingerprint(self) -> str:
        """The primary key's fingerprint, by which people know the key."""
        return self.key.primary.fingerprint

    @property
    def expires(self) -> datetime | None:
        """When its signatures end to be accepted, as far as the key itself says."""
        ends = [each.expires for each in (self.key.primary, self.part) if each.expires]
        return min(ends, default=None)


def read_keys(listing: str) -> tuple[Key, ...]:
    """The keys of `gpg --with-colons --list-secret-keys`; GnuPG's doc/DETAILS has the fields."""
    keys: list[Key] = []
    parts: list[Part] = []
    for row, fingerprint in _parts(listing):
        if row[0] == "sec" and parts:
            keys.append(Key(primary=parts[0], subkeys=tuple(parts[1:])))
            parts = []
        parts.append(_part(row, fingerprint))
    if parts:
        keys.append(Key(primary=parts[0], subkeys=tuple(parts[1:])))
    return tuple(keys)


def _parts(listing: str) -> Iterator[tuple[list[str], str]]:
    """Each key's row with its fingerprint, which stands in a row of its own below."""
    waiting: list[str] | None = None
    for line in listing.splitlines():
        row = line.split(":")
        if row[0] in {"sec", "ssb"}:
            waiting = row
        elif row[0] == "fpr" and waiting is not None:
            yield waiting, row[9]
            waiting = None


def _part(row: list[str], fingerprint: str) -> Part:
    return Part(
        fingerprint=fingerprint,
        validity=row[1],
        bits=int(row[2]),
        algorithm=row[3],
        created=int(row[5]),
        expires=datetime.fromtimestamp(int(row[6]), UTC) if row[6] else None,
        capabilities=row[11],
        # `#` is a key whose secret part is elsewhere; a card's number is a card at hand.
        secret=row[14] != "#",
    )


def choose(keys: Sequence[Key], named: str) -> Chosen:
    """The key with this id or fingerprint; raises UsageError with the reason when none signs."""
    text = named.replace(" ", "")
    if _SHORT.fullmatch(text):
        raise UsageError(
            f"the key id {named} is short, and anybody can make a key that has it",
            f"name the whole fingerprint; {_LIST}",
        )
    match = _NAMED.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{named!r} is no key id", f"name a fingerprint or a key id of 16 digits; {_LIST}"
        )
    wanted = match[1].upper()
    found = [(key, part) for key in keys for part in key.parts if part.fingerprint.endswith(wanted)]
    if not found:
        raise UsageError(f"there is no secret key {named}", _LIST)
    if len(found) > 1:
        raise UsageError(f"the key id {named} belongs to several keys", "name the fingerprint")
    key, part = found[0]
    return Chosen(key=key, part=_signing(key, None if part is key.primary else part))


def _signing(key: Key, named: Part | None) -> Part:
    """The named subkey, or the newest part that signs, as gpg itself would choose."""
    _refuse_ended(key.primary, "key", key.primary.fingerprint)
    if named is not None:
        _refuse_ended(named, "subkey", named.fingerprint)
    able = [part for part in ((named,) if named else key.parts) if part.signs]
    if not able:
        ended = [part for part in key.parts if "s" in part.capabilities and part.secret]
        if ended:
            _refuse_ended(ended[-1], "signing subkey", ended[-1].fingerprint)
        raise UsageError(
            f"the secret part of the key {key.primary.fingerprint} is not here",
            "import the secret key, or name a key that can sign",
        )
    # The primary key, which certifies, signs only where there is no subkey for it.
    best = max(able, key=lambda part: (part is not key.primary, part.created))
    if best.algorithm not in {_RSA, _ECDSA, _EDDSA} or (
        best.algorithm == _RSA and best.bits < _LEAST_RSA_BITS
    ):
        raise UsageError(
            f"the key {best.fingerprint} is too weak for apt and rpm",
            "make a key of rsa3072, rsa4096 or ed25519",
        )
    return best


def _refuse_ended(part: Part, kind: str, fingerprint: str) -> None:
    match part.validity:
        case "e":
            end = f" on {part.expires:%Y-%m-%d}" if part.expires else ""
            raise UsageError(
                f"the {kind} {fingerprint} expired{end}",
                "extend it with gpg --quick-set-expire, or sign with its successor",
            )
        case "r":
            raise UsageError(f"the {kind} {fingerprint} is revoked", "sign with its successor")
        case "i":
            raise UsageError(f"the {kind} {fingerprint} is not valid", "name another key")
        case _:
            pass
