"""The public keys of a repository: those that sign, and those that signed what is still there."""

import json
from collections.abc import Sequence
from datetime import datetime

from toolchain.errors import RefusedError, UsageError
from toolchain.model.release import Format
from toolchain.plan.armor import dearmored
from toolchain.plan.client import PublicKey
from toolchain.publish.channel import Indexes
from toolchain.publish.record import Record
from toolchain.publish.state import State

_KEY = "key."


def remember_keys(indexes: Indexes) -> None:
    """Keep the keys that sign now: rpms are not signed again when other keys take over."""
    for key in indexes.signer.described_keys():
        expires = None if key.expires is None else key.expires.isoformat()
        value = {"expires": expires, "armored": key.armored.decode("ascii")}
        indexes.state.settings.set(_KEY + key.fingerprint, json.dumps(value))


def former_keys(indexes: Indexes) -> tuple[PublicKey, ...]:
    """Keys that sign no more, and may have signed rpms that are still offered."""
    known = _known(indexes.state)
    return tuple(key for key in known if key.fingerprint not in indexes.signer.fingerprints)


def drop_key(
    state: State, fingerprint: str, signing: Sequence[str], *, now: int, force: bool
) -> dict[str, tuple[Record, ...]]:
    """Have customers trust a former key no more, by channel the rpms that go with it.

    Raises UsageError on a key that signs or was never here, RefusedError where a release would be
    left without a package. A host that knows the key already has to be told by its operator.
    """
    if fingerprint in signing:
        raise UsageError(f"the key {fingerprint} signs still", "sign with its successor alone")
    if state.settings.get(_KEY + fingerprint) is None:
        raise UsageError(
            f"the key {fingerprint} never signed here", "name a fingerprint of the set-up page"
        )
    signed = state.packages.signed_by(fingerprint)
    goes: dict[str, tuple[Record, ...]] = {}
    for channel in state.generations.newest():
        members = [one for one in state.channels.members(channel) if one.file.format is Format.RPM]
        found = tuple(one for one in members if one.id in signed)
        stay = {(one.file.name, one.release) for one in members if one.id not in signed}
        for record in found:
            identity = (record.file.name, record.release)
            # The package that sets clients up is made anew for the keys that are left.
            if not force and record.release is not None and identity not in stay:
                raise RefusedError(
                    f"{channel} offers {record.name} signed by that key alone",
                    "raise its release's revision and publish it first, or let it go with --force",
                )
            state.channels.leave(channel, record, now)
        if found:
            goes[channel] = found
    state.settings.forget(_KEY + fingerprint)
    return goes


def _known(state: State) -> tuple[PublicKey, ...]:
    found = []
    for name, text in state.settings.beginning(_KEY).items():
        value = json.loads(text)
        expires = value["expires"]
        key = PublicKey(
            fingerprint=name.removeprefix(_KEY),
            expires=None if expires is None else datetime.fromisoformat(expires),
            armored=value["armored"].encode("ascii"),
        )
        found.append(key)
    return tuple(found)


def stage_keys(indexes: Indexes) -> None:
    """Stage the keyrings: armored for people and rpm, binary for apt, which asks for no old rpm."""
    now = indexes.signer.described_keys()
    blocks = [key.armored for key in (*now, *former_keys(indexes))]
    place = f"keys/{indexes.product}"
    indexes.staging.write(f"{place}.asc", b"".join(blocks), switch=indexes.now)
    keyring = b"".join(dearmored(key.armored) for key in now)
    indexes.staging.write(f"{place}.gpg", keyring, switch=indexes.now)
