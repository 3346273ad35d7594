"""A deb of anyone: its control fields, files, units and maintainer scripts, none of them run."""

import re
import stat
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from toolchain.edge.package_files import deb_relations
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.importer.archive import UNITS, open_deb
from toolchain.importer.facts import Facts, Installed, Kind, Note
from toolchain.importer.versions import release_of
from toolchain.model.carried import Carried, Field
from toolchain.model.release import Format

SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config", "triggers")
_LONGEST = 1 << 20
_FIELDS = (Field.DEPENDS, Field.PRE_DEPENDS, Field.CONFLICTS, Field.BREAKS)
_TEXTS = {"Maintainer": "maintainer", "Homepage": "homepage"}


def read_deb(path: Path, processes: Processes) -> Facts:
    """What a deb says and installs; raises UsageError where it is damaged."""
    from debian.debfile import DebFile  # noqa: PLC0415  (costs 60 ms that most commands save)

    try:
        with DebFile(filename=str(path)) as deb:
            fields = {str(key): str(value) for key, value in deb.debcontrol().items()}
            scripts = {
                name: _member(deb.control, name) for name in SCRIPTS if deb.control.has_file(name)
            }
            conffiles = frozenset(_member(deb.control, "conffiles").split())
    # python-debian raises whatever ar, tar and the decompressors under it raise.
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{path} is damaged: {said}", "fetch it again") from error
    name, version = fields.get("Package", ""), fields.get("Version", "")
    if not name or not version:
        raise UsageError(f"{path} has no name or no version", "fetch it again")
    with open_deb(path, processes) as tar:
        installed, contents = _payload(tar, conffiles, name)
    relations, notes = control_relations(fields, str(path))
    return Facts(
        where=str(path),
        name=name,
        version=release_of(version, str(path)),
        full_version=version,
        format=Format.DEB,
        architecture=fields.get("Architecture", "all"),
        texts=control_texts(fields) | copyright_texts(contents.get("copyright", "")),
        day=_changed(contents.get("changelog", "")),
        relations=relations,
        installed=installed,
        scripts=scripts,
        units={path: text for path, text in contents.items() if path.startswith("/")},
        notes=notes,
    )


def control_texts(fields: Mapping[str, str]) -> dict[str, str]:
    """The texts of a control paragraph (Debian Policy 5.6.13: an indented dot is an empty line)."""
    texts = {ours: fields[theirs] for theirs, ours in _TEXTS.items() if fields.get(theirs)}
    summary, _, rest = fields.get("Description", "").partition("\n")
    if summary:
        texts["summary"] = summary.strip()
    lines = ("" if line.strip() == "." else line.removeprefix(" ") for line in rest.splitlines())
    if description := "\n".join(lines).strip():
        texts["description"] = description
    return texts


def control_relations(
    fields: Mapping[str, str], where: str
) -> tuple[tuple[Carried, ...], tuple[Note, ...]]:
    """The relations of a control paragraph; those that can't be read become notes."""
    found: list[Carried] = []
    notes: list[Note] = []
    for field in _FIELDS:
        for part in fields.get(field.value, "").split(","):
            try:
                found.extend(deb_relations(field, part.strip()))
            except ValueError:
                notes.append(
                    Note(text=f"{field.value} not taken: {' '.join(part.split())}", where=where)
                )
    return tuple(found), tuple(notes)


def copyright_texts(text: str) -> dict[str, str]:
    """Licence and holder out of a machine-readable copyright file's first paragraph of files."""
    licence = re.search(r"^License:[ \t]*(\S[^\n]*)", text, re.MULTILINE)
    holder = re.search(r"^Copyright:[ \t]*\n?[ \t]*(\S[^\n]*)", text, re.MULTILINE)
    found = {"licence": licence, "copyright": holder}
    return {key: match[1].strip() for key, match in found.items() if match}


def _member(control: Any, name: str) -> str:
    if not control.has_file(name):
        return ""
    content = control.get_content(name)
    return (content or b"")[:_LONGEST].decode(errors="replace")


def _payload(
    tar: tarfile.TarFile, conffiles: frozenset[str], package: str
) -> tuple[tuple[Installed, ...], dict[str, str]]:
    """What is installed, and the texts of units (by path), copyright and changelog."""
    installed: list[Installed] = []
    contents: dict[str, str] = {}
    documents = f"/usr/share/doc/{package}/"
    for member in tar:
        path = "/" + member.name.removeprefix(".").strip("/")
        if path == "/":
            continue
        installed.append(
            Installed(
                path=path,
                kind=_kind(member, path, conffiles),
                mode=stat.S_IMODE(member.mode),
                owner=member.uname or "root",
                group=member.gname or "root",
            )
        )
        name = _wanted(path, documents)
        if name and member.isreg() and member.size <= _LONGEST:
            data = tar.extractfile(member)
            raw = b"" if data is None else data.read(_LONGEST)
            # Debian's own changelog stands before upstream's.
            contents.setdefault(name, _text(raw, path))
    return tuple(installed), contents


def _wanted(path: str, documents: str) -> str:
    if path == f"{documents}copyright":
        return "copyright"
    if path in (f"{documents}changelog.Debian.gz", f"{documents}changelog.gz"):
        return "changelog"
    return path if path.startswith(UNITS) else ""


def _text(raw: bytes, path: str) -> str:
    if not path.endswith(".gz"):
        return raw.decode(errors="replace")
    import zlib  # noqa: PLC0415

    try:
        return zlib.decompressobj(31).decompress(raw, _LONGEST).decode(errors="replace")
    except zlib.error:
        return ""


def _kind(member: tarfile.TarInfo, path: str, conffiles: frozenset[str]) -> Kind:
    if member.isdir():
        return Kind.DIRECTORY
    if member.issym() or member.islnk():
        return Kind.LINK
    if not member.isreg():
        return Kind.SPECIAL
    return Kind.CONFIG if path in conffiles else Kind.FILE


def _changed(text: str) -> date | None:
    """The day of a changelog's first entry (deb-changelog(5))."""
    for line in _trailers(text):
        try:
            return datetime.strptime(line, "%a, %d %b %Y %H:%M:%S %z").astimezone(UTC).date()
        except ValueError:
            continue
    return None


def _trailers(text: str) -> Iterator[str]:
    for match in re.finditer(r"^ -- .*?>  (.*)$", text, re.MULTILINE):
        yield match[1].strip()
