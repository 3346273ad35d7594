"""A yum repository of stand-ins for dnf, written down; pure.

Real packages reach dnf as files, which it reads by itself. What they need of the world outside,
and the local packages of shards, stand in this index alone: nothing is ever fetched.
"""

import hashlib
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import quoteattr

from toolchain.model.carried import Clause
from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Operator, RelationKind
from toolchain.plan.relations import shard_relations
from toolchain.verify.debian_text import OUTSIDE, SLOTS, outside_clauses
from toolchain.verify.halves import Case
from toolchain.verify.pool import known_names, shard_version

_FLAGS = {
    Operator.EARLIER: "LT",
    Operator.EARLIER_OR_EQUAL: "LE",
    Operator.EQUAL: "EQ",
    Operator.LATER_OR_EQUAL: "GE",
    Operator.LATER: "GT",
}
_COMMON = "http://linux.duke.edu/metadata/common"
_RPM = "http://linux.duke.edu/metadata/rpm"
_REPOSITORY = "http://linux.duke.edu/metadata/repo"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _entry(clause: Clause) -> str:
    if clause.operator is None:
        return f"<rpm:entry name={quoteattr(clause.name)}/>"
    epoch, _, rest = str(clause.version).rpartition(":")
    version, _, release = rest.partition("-")
    bound = f'flags="{_FLAGS[clause.operator]}" epoch="{epoch or 0}" ver={quoteattr(version)}'
    bound += f" rel={quoteattr(release)}" if release else ""
    return f"<rpm:entry name={quoteattr(clause.name)} {bound}/>"


def package(
    name: str, version: str, provides: Iterable[Clause], conflicts: Iterable[Clause] = ()
) -> str:
    """One package of the index, of release 1, which provides itself too."""
    own = Clause(name=name, operator=Operator.EQUAL, version=f"{version}-1")
    identity = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    return (
        f'<package type="rpm"><name>{name}</name><arch>noarch</arch>'
        f'<version epoch="0" ver={quoteattr(version)} rel="1"/>'
        f'<checksum type="sha256" pkgid="YES">{identity}</checksum>'
        "<summary/><description/><packager/><url/>"
        '<time file="0" build="0"/><size package="1" installed="1" archive="1"/>'
        f'<location href="{name}.rpm"/><format><rpm:license/><rpm:vendor/><rpm:group/>'
        '<rpm:buildhost/><rpm:sourcerpm/><rpm:header-range start="0" end="1"/>'
        f"<rpm:provides>{''.join(map(_entry, dict.fromkeys((own, *provides))))}</rpm:provides>"
        f"<rpm:conflicts>{''.join(map(_entry, conflicts))}</rpm:conflicts>"
        "</format></package>\n"
    )


def _shard(case: Case, slot: str, state: ShardHandshake) -> str:
    clauses: dict[RelationKind, list[Clause]] = {kind: [] for kind in RelationKind}
    for relation in shard_relations(case.names, state):
        clause = Clause(name=relation.name, operator=relation.operator, version=relation.version)
        clauses[relation.kind].append(clause)
    return package(
        case.names.shard_package(slot),
        shard_version(state),
        clauses[RelationKind.PROVIDES],
        clauses[RelationKind.CONFLICTS],
    )


def primary(case: Case) -> bytes:
    """The packages of the index: the world outside, and every state of two shards."""
    outside = outside_clauses(case.files, known_names(case.names, case.files))
    packages = [package(OUTSIDE, "1", outside)]
    packages += [_shard(case, slot, state) for slot in SLOTS for state in case.states]
    return metadata(packages)


def metadata(packages: Sequence[str]) -> bytes:
    """The whole index of packages."""
    opening = f'<metadata xmlns="{_COMMON}" xmlns:rpm="{_RPM}" packages="{len(packages)}">\n'
    return f"{_HEAD}{opening}{''.join(packages)}</metadata>\n".encode()


def repomd(content: bytes) -> bytes:
    """The index of the index, which names `repodata/primary.xml` with its digest."""
    digest, size = hashlib.sha256(content).hexdigest(), len(content)
    return (
        f'{_HEAD}<repomd xmlns="{_REPOSITORY}"><revision>1</revision><data type="primary">'
        f'<checksum type="sha256">{digest}</checksum>'
        f'<open-checksum type="sha256">{digest}</open-checksum>'
        f'<location href="repodata/primary.xml"/><timestamp>1</timestamp>'
        f"<size>{size}</size><open-size>{size}</open-size></data></repomd>\n"
    ).encode()
