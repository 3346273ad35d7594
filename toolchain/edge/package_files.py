"""Package files of anyone, read whole: identity, every relation, protection and handshake.

`readback` asks whether a build is what its plan says; this reads packages that have no plan.
"""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from toolchain.edge.package_payload import PayloadError, open_payload, whole
from toolchain.edge.process import Command, Processes
from toolchain.errors import UsageError
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.relation import Operator
from toolchain.model.release import Format
from toolchain.model.stand_in import BEGINNING, is_stand_in

# The longest release.json that is believed, in bytes: a real one has some hundreds.
_LONGEST_HANDSHAKE = 1 << 20

# Who may carry a handshake: only there is a deb's payload read.
_HALVES = ("-server", "-database")

_DEB_FIELDS = (
    *(Field.PROVIDES, Field.CONFLICTS, Field.DEPENDS, Field.PRE_DEPENDS, Field.RECOMMENDS),
    *(Field.SUGGESTS, Field.ENHANCES, Field.BREAKS, Field.REPLACES),
)
# Debian Policy 7.1; `:any` and architecture lists don't change what the law is about.
_DEB_CLAUSE = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9.+-]*)(?::[a-z0-9-]+)?"
    r"\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?\s*(?:\[[^\]]*\])?\s*(?:<[^>]*>\s*)*"
)
# Debian Policy 7.1: the old `<` and `>` mean "or equal".
_DEB_OPERATORS = {"<<": "<", ">>": ">", "<": "<=", ">": ">="}

_RPM_FIELDS = {
    "PROVIDE": Field.PROVIDES,
    "CONFLICT": Field.CONFLICTS,
    "REQUIRE": Field.REQUIRES,
    "RECOMMEND": Field.RECOMMENDS,
    "SUGGEST": Field.SUGGESTS,
    "SUPPLEMENT": Field.SUPPLEMENTS,
    "ENHANCE": Field.ENHANCES,
    "OBSOLETE": Field.OBSOLETES,
}
_PROTECTED = "/etc/dnf/protected.d/"


_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
}


def require_regular(path: Path) -> None:
    """Raise UsageError unless it is a regular file, or a link to one, without opening it."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    _require_regular(path, mode)


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise UsageError(
            f"{path} is {kind} and no regular file", "name packages, or take it out of there"
        )


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} can't be read: {error.strerror}", "make it readable")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for anyone at the other end of a FIFO (fifo(7))."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_package(path: Path, processes: Processes) -> PackageFile:
    """Read one package file; raises UsageError where it is none or is damaged."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            _require_regular(path, os.fstat(file.fileno()).st_mode)
            magic = file.read(8)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise _unreadable(path, error) from error
    if magic == b"!<arch>\n":
        return _read_deb(path, digest, size, processes)
    if magic[:4] == b"\xed\xab\xee\xdb":
        return _read_rpm(path, digest, size, processes)
    raise UsageError(f"{path} is no deb and no rpm", "name packages, or directories with packages")


def _damaged(path: Path, why: object) -> UsageError:
    said = " ".join(str(why).split()) or type(why).__name__
    return UsageError(f"{path} is damaged: {said}", "build it or fetch it again")


def _read_deb(path: Path, digest: str, size: int, processes: Processes) -> PackageFile:
    from debian.debfile import DebFile  # noqa: PLC0415  (costs 60 ms that most commands save)

    try:
        with DebFile(filename=str(path)) as deb:
            text = deb.control.get_content("control", encoding="utf-8")
            fields = deb.debcontrol()
            name, version = fields["Package"], fields["Version"]
        relations = tuple(
            relation
            for field in _DEB_FIELDS
            for relation in deb_relations(field, fields.get(field.value, ""))
        )
    # python-debian raises whatever ar, tar and the decompressors under it raise.
    except Exception as error:
        raise _damaged(path, error) from error
    inside = f"/usr/share/{name}/release.json"
    wanted = {inside} if name.endswith(_HALVES) else set()
    content, stand_ins = _payload(path, Format.DEB, wanted, processes)
    return PackageFile(
        path=str(path),
        format=Format.DEB,
        name=name,
        version=version,
        architecture=fields.get("Architecture", ""),
        relations=relations,
        protected="yes" in (fields.get("Protected"), fields.get("Essential")),
        sha256=digest,
        size=size,
        handshake=content.get(inside),
        stand_ins=stand_ins,
        control=str(text).strip("\n"),
    )


def deb_relations(field: Field, text: str) -> Iterator[Carried]:
    """The relations of one control field; raises ValueError on what Debian's grammar lacks."""
    for part in filter(None, (part.strip() for part in text.split(","))):
        clauses = []
        for alternative in part.split("|"):
            match = _DEB_CLAUSE.fullmatch(alternative.strip())
            if match is None:
                raise ValueError(f"{field.value} holds {alternative.strip()!r}")
            name, operator, version = match.groups()
            clauses.append(_clause(name, _DEB_OPERATORS.get(operator, operator), version))
        yield Carried(field=field, clauses=tuple(clauses))


def _clause(name: str, operator: str | None, version: str | None) -> Clause:
    if not operator or not version:
        return Clause(name=name)
    return Clause(name=name, operator=Operator(operator), version=version)


def _rpm_format() -> str:
    lists = "".join(
        rf"[{tag}\t%{{{tag}NAME}}\t%{{{tag}FLAGS:depflags}}\t%{{{tag}VERSION}}\n]"
        for tag in _RPM_FIELDS
    )
    return r"PACKAGE\t%{NAME}\t%{EVR}\t%{ARCH}\n" + lists + r"[FILE\t%{FILENAMES}\n]"


def _read_rpm(path: Path, digest: str, size: int, processes: Processes) -> PackageFile:
    """Let rpm's own library read the header, so that no reader of ours is judge and witness."""
    # rpm takes its arguments for patterns, and finds no way to write "x[1]*" plainly.
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        link = Path(directory, "package.rpm")
        link.symlink_to(path.absolute())
        query = ("rpm", "-qp", "--nosignature", "--nodigest", "--queryformat", _rpm_format())
        done = processes.finish(Command(argv=(*query, str(link))))
    output = done.text
    if done.code != 0 or not output.startswith("PACKAGE\t"):
        raise _damaged(path, (done.errors.splitlines() or ["rpm can't read it"])[0])
    lines = output.split("\n")
    name, version, architecture = lines[0].split("\t")[1:]
    relations, files = [], set()
    for line in lines[1:]:
        tag, *words = line.split("\t")
        if tag == "FILE":
            files.add("\t".join(words))
        elif tag in _RPM_FIELDS and words[0] != "(none)" and not words[0].startswith("rpmlib("):
            clause = _clause(words[0], words[1].strip(), words[2])
            relations.append(Carried(field=_RPM_FIELDS[tag], clauses=(clause,)))
    inside = {f"/usr/share/{name}/release.json"}
    inside |= {file for file in files if file.startswith(_PROTECTED) and file.endswith(".conf")}
    content, stand_ins = _payload(path, Format.RPM, inside & files, processes)
    protected = b"\n".join(text for file, text in content.items() if file.startswith(_PROTECTED))
    return PackageFile(
        path=str(path),
        format=Format.RPM,
        name=name,
        version=version.removeprefix("(none):").removeprefix("0:"),
        architecture=architecture,
        relations=tuple(dict.fromkeys(relations)),
        protected=name in protected.decode(errors="replace").split(),
        sha256=digest,
        size=size,
        handshake=content.get(f"/usr/share/{name}/release.json"),
        stand_ins=stand_ins,
    )


def _payload(
    path: Path, format_: Format, wanted: set[str], processes: Processes
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The wanted files with their contents, and the stand-ins among all others.

    Where nothing is wanted, nothing is unpacked.
    """
    found: dict[str, bytes] = {}
    stand_ins = []
    if not wanted:
        return found, ()
    try:
        with open_payload(path, format_, processes) as files:
            for name, file in files:
                if name not in wanted:
                    if is_stand_in(file.read(BEGINNING)):
                        stand_ins.append(name)
                elif (content := whole(file, _LONGEST_HANDSHAKE)) is not None:
                    found[name] = content
    except PayloadError as error:
        raise _damaged(path, error) from error
    return found, tuple(stand_ins)
