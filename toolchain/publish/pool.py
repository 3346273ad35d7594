"""The pool: new packages signed and staged, with all that indexes will say of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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


def admit(
    indexes: Indexes, new: Sequence[Arrival], report: Report, processes: Processes
) -> tuple[Record, ...]:
    """Copy packages into the staging, sign the rpms, and remember everything about each.

    Nothing that was published before is read, hashed or signed. Raises OSError, OutputError,
    ToolError.
    """
    staged: list[tuple[Arrival, str, Path]] = []
    for arrival in new:
        place = pool_place(arrival.file, indexes.product)
        copy = indexes.staging.copy(place, Path(arrival.file.path))
        if sha256_of(copy) != arrival.file.sha256:
            raise OutputError(
                f"{arrival.file.path} has changed since it was verified", "publish it again"
            )
        staged.append((arrival, place, copy))
    rpms = [copy for arrival, _, copy in staged if arrival.file.format is Format.RPM]
    shares = [rpms[start :: processors()] for start in range(processors())]
    records = []
    report(0, len(staged), f"signing {len(rpms)} rpms")
    # A signature is a gpg of its own, which is most of a package's time here.
    for _ in each(indexes.signer.sign_rpms, shares, processes):
        pass
    signed = each(partial(_beside, indexes.signer), staged, processes)
    for number, ((arrival, place, copy), beside) in enumerate(zip(staged, signed, strict=True), 1):
        records.append(_remember(indexes, arrival, place, copy, beside))
        report(number, len(staged), f"staging {copy.name}")
    return tuple(records)


def _beside(signer: Signs, staged: tuple[Arrival, str, Path]) -> Mapping[str, bytes]:
    """What stands beside a published package, by place; the statement is about these bytes."""
    arrival, place, copy = staged
    if arrival.release is None:
        return {}
    sbom, statement = companions(Path(arrival.file.path))
    return {
        place + ENVELOPE: envelope(statement.read_bytes(), copy, signer),
        place + SBOM: sbom.read_bytes(),
    }


def _remember(
    indexes: Indexes, arrival: Arrival, place: str, copy: Path, beside: Mapping[str, bytes]
) -> Record:
    signed = arrival.file.format is Format.RPM
    file = replace(
        arrival.file,
        path=place,
        sha256=sha256_of(copy) if signed else arrival.file.sha256,
        size=copy.stat().st_size,
    )
    # Relative to where `deb` lies: a suite's `Filename` knows nothing of the directory above.
    text = "" if signed else stanza(file, place.removeprefix("deb/"))
    record = Record(
        id=0, file=file, built=arrival.file.sha256, release=arrival.release, stanza=text
    )
    if signed:
        fragments = read_fragments(copy).stored()
        signer = indexes.signer.fingerprints[0]
        record = indexes.state.add(record, indexes.now, fragments=fragments, signer=signer)
    else:
        record = indexes.state.add(record, indexes.now)
    for name, content in beside.items():
        if name.endswith(SBOM) and file.name.endswith("-server"):
            about = read_about(content)
            if about is not None:
                about.remember(indexes.state)
        indexes.staging.write(name, content)
        indexes.state.add_beside(record, name)
    return record
