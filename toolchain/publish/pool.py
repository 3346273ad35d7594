"""The pool: new packages signed and staged, with all that indexes will say of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from toolchain.edge.digests import sha256_of
from toolchain.edge.process import Processes, processors
from toolchain.errors import OutputError
from toolchain.model.release import Format
from toolchain.plan.attestation import ENVELOPE, SBOM
from toolchain.plan.repository.layout import pool_place
from toolchain.publish.about import read_about
from toolchain.publish.arrivals import Arrival
from toolchain.publish.attest import companions, envelope
from toolchain.publish.channel import Indexes
from toolchain.publish.fragments import read_fragments
from toolchain.publish.record import Record
from toolchain.publish.signing import Signs
from toolchain.render.apt_index import stanza
from toolchain.verify.parallel import each

Report = Callable[[int, int, str], None]
# In one run of rpmsign, whose start is nothing beside a signature; the progress still moves.
_RPMS_PER_RUN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A package that is staged, and its place in the repository."""

    arrival: Arrival
    place: str
    path: Path

    @property
    def signed(self) -> bool:
        """Whether its own bytes carry the signature, which makes them others than were built."""
        return self.arrival.file.format is Format.RPM


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    """A package as customers will have it: its digest, and what stands beside it, by place."""

    copy: _Copy
    sha256: str
    beside: Mapping[str, bytes]


def admit(
    indexes: Indexes, new: Sequence[Arrival], report: Report, processes: Processes
) -> tuple[Record, ...]:
    """Copy packages into the staging, sign the rpms, and remember everything about each.

    Nothing that was published before is read, hashed or signed. Raises OSError, OutputError,
    ToolError.
    """
    copies = [_copy(indexes, arrival) for arrival in new]
    _sign([copy.path for copy in copies if copy.signed], indexes.signer, report, processes)
    records = []
    # A signature is a gpg of its own, which is most of a package's time here.
    for published in each(partial(_attest, indexes.signer), copies, processes):
        records.append(_remember(indexes, published))
        report(len(records), len(copies), f"staging {published.copy.path.name}")
    return tuple(records)


def _copy(indexes: Indexes, arrival: Arrival) -> _Copy:
    """A copy of the very bytes that were proved: they are read once more, for what they are now."""
    place = pool_place(arrival.file, indexes.product)
    path = indexes.staging.copy(place, Path(arrival.file.path))
    if sha256_of(path) != arrival.file.sha256:
        raise OutputError(
            f"{arrival.file.path} has changed since it was verified", "publish it again"
        )
    return _Copy(arrival=arrival, place=place, path=path)


def _sign(rpms: Sequence[Path], signer: Signs, report: Report, processes: Processes) -> None:
    shares = max(processors(), -(-len(rpms) // _RPMS_PER_RUN))
    runs = [rpms[start::shares] for start in range(min(shares, len(rpms)))]
    report(0, max(1, len(runs)), f"signing {len(rpms)} rpms")
    for done, _ in enumerate(each(signer.sign_rpms, runs, processes), 1):
        report(done, len(runs), f"signing {len(rpms)} rpms")


def _attest(signer: Signs, copy: _Copy) -> _Published:
    """Sign the statement about the bytes as they are published."""
    file = copy.arrival.file
    sha256 = sha256_of(copy.path) if copy.signed else file.sha256
    if copy.arrival.release is None:
        return _Published(copy=copy, sha256=sha256, beside={})
    sbom, statement = companions(Path(file.path), file.sha256)
    beside = {
        copy.place + ENVELOPE: envelope(statement.read_bytes(), copy.path.name, sha256, signer),
        copy.place + SBOM: sbom.read_bytes(),
    }
    return _Published(copy=copy, sha256=sha256, beside=beside)


def _remember(indexes: Indexes, published: _Published) -> Record:
    copy, state = published.copy, indexes.state
    built = copy.arrival.file
    file = replace(built, path=copy.place, sha256=published.sha256, size=copy.path.stat().st_size)
    # Relative to where `deb` lies: a suite's `Filename` knows nothing of the directory above.
    text = "" if copy.signed else stanza(file, copy.place.removeprefix("deb/"))
    record = Record(id=0, file=file, built=built.sha256, release=copy.arrival.release, stanza=text)
    if copy.signed:
        fragments = read_fragments(copy.path).stored()
        signer = indexes.signer.fingerprints[0]
        record = state.packages.add(record, indexes.now, fragments=fragments, signer=signer)
    else:
        record = state.packages.add(record, indexes.now)
    for name, content in published.beside.items():
        if name.endswith(SBOM) and file.name.endswith("-server"):
            about = read_about(content)
            if about is not None:
                about.remember(state)
        indexes.staging.write(name, content)
        state.packages.add_beside(record, name)
    return record
