"""A hand-written debian/ directory: control, changelog, install files, units, scripts."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import copied
from toolchain.importer.facts import Facts, Installed, Kind
from toolchain.importer.packages.deb import (
    SCRIPTS,
    control_relations,
    control_texts,
    copyright_texts,
)
from toolchain.importer.texts import inside, read_text, refuse
from toolchain.importer.versions import release_of
from toolchain.model.release import Format

_LONGEST = 1 << 20
_ENTRY = re.compile(r"^(\S+) \(([^()\s]+)\)", re.MULTILINE)
_SUBSTITUTED = re.compile(r"\$\{[A-Za-z0-9:._-]+\}")


def read_debian(folder: Path, values: Mapping[str, str]) -> tuple[Facts, ...]:
    """The binary packages of a source package; raises UsageError."""
    version, day = _newest(folder, values)
    control = folder / "control"
    source, packages = _paragraphs(control)
    base = folder.parent
    licence = copyright_texts(_beside(folder, "copyright"))
    found = []
    for fields in packages:
        name = fields["Package"]
        # debhelper takes files without a package's name for the first one.
        first = fields is packages[0]
        own = {
            kind: text
            for kind in (*SCRIPTS, "install", "dirs", "service")
            if (
                text := _beside(folder, f"{name}.{kind}")
                or (_beside(folder, kind) if first else "")
            )
        }
        relations, notes = control_relations(
            {key: _without_substitutions(value, values, version) for key, value in fields.items()},
            str(control),
        )
        units = {
            f"/usr/lib/systemd/system/{path.name.removeprefix(f'{name}.')}": read_text(
                path, _LONGEST
            )
            for path in sorted(folder.glob(f"{name}.*service"))
            if inside(folder, path) and path.name != f"{name}.service"
        }
        if "service" in own:
            units[f"/usr/lib/systemd/system/{name}.service"] = own["service"]
        found.append(
            Facts(
                where=str(control),
                base=str(base),
                name=name,
                version=release_of(version, str(folder / "changelog")),
                full_version=version,
                format=Format.DEB,
                architecture=fields.get("Architecture", "all").replace("any", "amd64"),
                texts=control_texts(source | fields) | licence,
                day=day,
                relations=relations,
                installed=tuple(_installed(own, base)),
                scripts={kind: own[kind] for kind in SCRIPTS if kind in own},
                units=units,
                notes=notes,
            )
        )
    return tuple(found)


def _newest(folder: Path, values: Mapping[str, str]) -> tuple[str, date | None]:
    """Version and day of the changelog's first entry."""
    text = _beside(folder, "changelog")
    entry = _ENTRY.search(text)
    version = values.get("version") or (entry[2] if entry else "")
    if not version:
        raise UsageError(
            f"{folder}/changelog names no version", "write it, or give --define version=X.Y.Z"
        )
    trailer = re.search(r"^ -- .*?>  (.*)$", text, re.MULTILINE)
    try:
        moment = (
            datetime.strptime(trailer[1].strip(), "%a, %d %b %Y %H:%M:%S %z") if trailer else None
        )
    except ValueError:
        moment = None
    return version, moment.astimezone(UTC).date() if moment else None


def _paragraphs(control: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    from debian.deb822 import Deb822  # noqa: PLC0415  (slow to import)

    text = read_text(control, _LONGEST)
    source: dict[str, str] = {}
    packages = []
    for paragraph in Deb822.iter_paragraphs(text, use_apt_pkg=False):
        fields = {str(key): str(value) for key, value in paragraph.items()}
        if "Package" in fields:
            packages.append(fields)
        else:
            source |= fields
    if not packages:
        raise refuse(str(control), 1, "no paragraph names a Package", "name debian/ of a package")
    return source, packages


def _without_substitutions(text: str, values: Mapping[str, str], version: str) -> str:
    """Debhelper fills in what it finds; the version of the package itself is known."""
    text = re.sub(r"\$\{(?:binary|source):Version\}", version, text)
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    parts = (part.strip() for part in text.split(","))
    kept = (part for part in parts if part and not _SUBSTITUTED.fullmatch(part))
    return ", ".join(kept) if _SUBSTITUTED.search(text) else text


def _installed(own: Mapping[str, str], base: Path) -> Iterator[Installed]:
    for line in own.get("install", "").splitlines():
        words = line.split()
        if len(words) < 2 or line.lstrip().startswith("#"):
            if len(words) == 1:
                source = words[0].removeprefix("debian/tmp/")
                yield from _each(words[0], f"/{source}", base)
            continue
        for source in words[:-1]:
            yield from _each(source, f"/{words[-1].strip('/')}/", base)
    for line in own.get("dirs", "").split():
        yield Installed(path="/" + line.strip("/"), kind=Kind.DIRECTORY)


def _each(source: str, target: str, base: Path) -> Iterator[Installed]:
    for each in copied(Installed(path=target, source=source), base):
        # debhelper takes every file below /etc for one that the operator may edit.
        config = each.path.startswith("/etc/")
        yield Installed(
            path=each.path, kind=Kind.CONFIG if config else each.kind, source=each.source
        )


def _beside(folder: Path, name: str) -> str:
    path = folder / name
    return read_text(path, _LONGEST) if path.is_file() and inside(folder, path) else ""
