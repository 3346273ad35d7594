"""A channel's apt index: by-hash files, and one signed Release that names them."""

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from toolchain.model.release import Format
from toolchain.plan.repository.layout import suite
from toolchain.publish.record import Record
from toolchain.publish.signing import Signs
from toolchain.publish.staging import Staging
from toolchain.publish.state import State
from toolchain.publish.tables.generations import Generation
from toolchain.render.apt_index import IndexFile, architectures, release_text

# Packages in one gzip member. apt reads any number of members, so those that are full stay as they
# are and only the last is packed anew; fewer would make the file larger, gzip looks back 32 KiB.
_PIECE = 64


def stage_apt(
    staging: Staging,
    state: State,
    signer: Signs,
    channel: str,
    generation: Generation,
    *,
    product: str,
) -> tuple[str, ...]:
    """Stage it whole; the places of the files that no later index has to name come back."""
    records = [one for one in state.channels.members(channel) if one.file.format is Format.DEB]
    below = suite(channel)
    files: list[IndexFile] = []
    hashed: list[str] = []
    machines = architectures(one.file.architecture for one in records)
    for machine in machines:
        fitting = [one for one in records if one.file.architecture in (machine, "all")]
        text = "".join(one.stanza for one in fitting).encode()
        packed = b"".join(_pieces(state, fitting, generation.serial))
        directory = f"main/binary-{machine}"
        for name, content in (("Packages", text), ("Packages.gz", packed)):
            digest = hashlib.sha256(content).hexdigest()
            place = f"{below}/{directory}/by-hash/SHA256/{digest}"
            staged = staging.write(place, content)
            hashed.append(place)
            # For clients that know no by-hash, and for people; nothing of ours asks for it.
            staging.again(staged, f"{below}/{directory}/{name}", switch=True)
            files.append(IndexFile(path=f"{directory}/{name}", sha256=digest, size=len(content)))
    release = release_text(
        {
            "Origin": product,
            "Label": product,
            "Suite": channel,
            "Codename": channel,
            "Architectures": " ".join(machines),
            "Components": "main",
            "Description": f"{product}, channel {channel}",
        },
        date=generation.serial,
        valid_until=generation.valid_until,
        files=files,
    )
    staging.write(f"{below}/Release", release, switch=generation.serial)
    staging.write(f"{below}/Release.gpg", signer.detached(release), switch=generation.serial)
    staging.write(f"{below}/InRelease", signer.clear(release), switch=generation.serial)
    return tuple(hashed)


def _pieces(state: State, records: Sequence[Record], serial: int) -> Iterator[bytes]:
    """The packed index, a member for some packages each; what was packed before is known."""
    for _, group in groupby(records, key=lambda record: record.id // _PIECE):
        text = "".join(record.stanza for record in group).encode()
        digest = hashlib.sha256(text).hexdigest()
        packed = state.generations.compressed(digest)
        if packed is None:
            packed = gzip.compress(text, mtime=0)
        state.generations.keep_compressed(digest, packed, serial)
        yield packed
    if not records:
        yield gzip.compress(b"", mtime=0)
