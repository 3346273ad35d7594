"""An rpm of anyone, as rpm's own library reads its header; its scriptlets are shown, never run."""

import re
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from toolchain.edge.package_files import read_package
from toolchain.edge.package_payload import PayloadError, payload_files
from toolchain.edge.process import Command, Processes
from toolchain.errors import UsageError
from toolchain.importer.archive import UNITS
from toolchain.importer.facts import Facts, Installed, Kind
from toolchain.importer.versions import release_of
from toolchain.model.release import Format

_TEXTS = {
    "summary": "SUMMARY",
    "description": "DESCRIPTION",
    "licence": "LICENSE",
    "homepage": "URL",
    "maintainer": "PACKAGER",
}
_SCRIPTS = {"%pre": "PREIN", "%post": "POSTIN", "%preun": "PREUN", "%postun": "POSTUN",
            "%pretrans": "PRETRANS", "%posttrans": "POSTTRANS"}  # fmt: skip
_END = "\x1e"  # a separator that no text of a header holds
_LONGEST = 1 << 20


def read_rpm(path: Path, processes: Processes) -> Facts:
    """What an rpm says and installs; raises UsageError where it is damaged."""
    package = read_package(path, processes)
    answer = _query(path, processes)
    head, _, files = answer.partition(_END + "FILES\n")
    values = dict(part.partition("\n")[::2] for part in head.split(_END) if part)
    texts = {
        ours: values[tag].strip()
        for ours, tag in _TEXTS.items()
        if values.get(tag, "(none)").strip() != "(none)"
    }
    scripts = {
        name: values[tag]
        for name, tag in _SCRIPTS.items()
        if values.get(tag, "(none)").strip() != "(none)"
    }
    installed = tuple(map(_installed, filter(None, files.split("\n"))))
    built = values.get("BUILDTIME", "").strip()
    upstream = re.sub(r"-[^-]*\Z", "", package.version)
    return Facts(
        where=str(path),
        name=package.name,
        version=release_of(upstream, str(path)),
        full_version=package.version,
        format=Format.RPM,
        architecture=package.architecture,
        texts=texts,
        day=datetime.fromtimestamp(int(built), tz=UTC).date() if built.isdecimal() else None,
        relations=package.relations,
        installed=installed,
        scripts=scripts,
        units=_units(path, installed, processes),
    )


def _query(path: Path, processes: Processes) -> str:
    tags = (*_TEXTS.values(), *_SCRIPTS.values(), "BUILDTIME")
    parts = "".join(f"{_END}{tag}\n%{{{tag}}}" for tag in tags)
    columns = r"%{FILEMODES:octal}\t%{FILEUSERNAME}\t%{FILEGROUPNAME}\t%{FILEFLAGS:fflags}"
    files = rf"[{columns}\t%{{FILENAMES}}\n]"
    query = ("rpm", "-qp", "--nosignature", "--nodigest", "--queryformat")
    # rpm takes its arguments for patterns, and finds no way to write "x[1]*" plainly.
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        link = Path(directory, "package.rpm")
        link.symlink_to(path.absolute())
        return processes.run(Command(argv=(*query, f"{parts}{_END}FILES\n{files}", str(link))))


def _installed(line: str) -> Installed:
    mode, owner, group, flags, path = line.split("\t", 4)
    bits = int(mode, 8)
    kind = Kind.FILE
    if stat.S_ISDIR(bits):
        kind = Kind.DIRECTORY
    elif stat.S_ISLNK(bits):
        kind = Kind.LINK
    elif not stat.S_ISREG(bits) or "g" in flags:
        kind = Kind.SPECIAL
    elif "c" in flags:
        kind = Kind.CONFIG
    return Installed(path=path, kind=kind, mode=stat.S_IMODE(bits), owner=owner, group=group)


def _units(path: Path, installed: tuple[Installed, ...], processes: Processes) -> dict[str, str]:
    wanted = {each.path for each in installed if each.path.startswith(UNITS)}
    try:
        found = payload_files(path, Format.RPM, wanted, processes, longest=_LONGEST)
    except PayloadError as error:
        raise UsageError(f"{path} is damaged: {error}", "fetch it again") from error
    return {name: content.decode(errors="replace") for name, content in found.items()}
