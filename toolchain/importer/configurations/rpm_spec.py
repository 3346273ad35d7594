"""A hand-written rpm spec, read as text: rpm would run `%(…)` and `%{lua:…}` while parsing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from posixpath import basename

from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import unit_texts
from toolchain.importer.configurations.rpm_conditions import Conditions, is_condition
from toolchain.importer.configurations.rpm_files import FileList
from toolchain.importer.configurations.rpm_macros import (
    MACROS,
    choose,
    expanded,
    unknown,
    weighable,
)
from toolchain.importer.facts import Facts, Installed, Note
from toolchain.importer.texts import read_text
from toolchain.importer.versions import release_of
from toolchain.model.carried import Carried, Field
from toolchain.model.release import Format

_DEFINED = re.compile(r"%(?:define|global)\s+([A-Za-z_]\w*)\s+(.*)")
_RUN = re.compile(r"%\(|%\{lua:|%\{expand:|%\{shrink:|%\{load:")
_SECTION = re.compile(
    r"%(package|description|files|pre|post|preun|postun|pretrans|posttrans|prep|build|install|check"
    r"|clean|changelog|generate_buildrequires|triggerin|triggerun|verifyscript)\b(.*)"
)
# Where macros count; scripts are shown as they stand.
_READ = frozenset({"preamble", "package", "description", "files"})
_SCRIPTS = frozenset({"pre", "post", "preun", "postun", "pretrans", "posttrans"})
_TAG = re.compile(r"([A-Za-z]+)(?:\([a-z,]+\))?\s*:\s*(.*)")
_TEXTS = {"summary": "summary", "license": "licence", "url": "homepage", "packager": "maintainer"}
_RELATIONS = {"requires": Field.REQUIRES, "conflicts": Field.CONFLICTS}
_TAKEN = frozenset({*_TEXTS, "name", "version", "release", "buildarch"})


@dataclass(slots=True)
class _Package:
    """What is gathered of one package."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    relations: list[Carried] = field(default_factory=list)
    sections: dict[str, list[str]] = field(default_factory=dict)
    installed: list[Installed] = field(default_factory=list)
    listed: FileList = field(default_factory=lambda: FileList(""))
    notes: list[Note] = field(default_factory=list)


def read_spec(path: Path, values: Mapping[str, str]) -> tuple[Facts, ...]:
    """The packages of a spec; raises UsageError where it needs what only a run could say."""
    packages, changelog = _gathered(path, values)
    main = packages[0]
    version = values.get("version") or main.tags.get("version", "")
    if not main.name or not version or "%" in version:
        raise UsageError(
            f"{path} names no version that is plain text", "give it: --define version=X.Y.Z"
        )
    found = []
    for package in packages:
        tags = main.tags | package.tags
        texts = {ours: tags[key] for key, ours in _TEXTS.items() if key in tags}
        if description := "\n".join(package.sections.get("description", ())).strip():
            texts["description"] = description
        if package.sections.get("files") is None and package is main and len(packages) > 1:
            continue  # a spec whose main package has no files makes none of that name
        found.append(
            Facts(
                where=str(path),
                base=str(path.parent),
                name=package.name,
                version=release_of(version, str(path)),
                full_version=version,
                format=Format.RPM,
                architecture=tags.get("buildarch", "x86_64"),
                texts=texts,
                day=_day(changelog),
                relations=tuple(package.relations),
                installed=tuple(package.installed),
                units=_units(path, package),
                scripts={
                    f"%{name}": "\n".join(lines)
                    for name, lines in package.sections.items()
                    if name in _SCRIPTS and any(lines)
                },
                notes=tuple(package.notes),
            )
        )
    return tuple(found)


def _gathered(path: Path, values: Mapping[str, str]) -> tuple[list[_Package], list[str]]:
    macros = {**MACROS, **values}
    packages = [_Package(values.get("name", ""))]
    current, section = packages[0], "preamble"
    changelog: list[str] = []
    conditions = Conditions()
    for number, raw in enumerate(read_text(path, 1 << 20).splitlines(), start=1):
        where = f"{path}:{number}"
        if section != "changelog" and is_condition(raw.strip()):
            weighed = conditions.take(raw.strip(), partial(weighable, macros=macros))
            if not weighed and section in _READ and raw.strip().startswith("%if"):
                current.notes.append(_undecided(raw, macros, where))
            if not weighed and section in _SCRIPTS:
                current.sections[section].append(raw)
            continue
        if not conditions.reading:
            continue
        if choose(raw.strip(), macros):
            continue
        if (defined := _DEFINED.match(raw.strip())) is not None:
            if _RUN.search(raw):
                current.notes.append(
                    Note(
                        text=f"the macro {defined[1]} runs a program, and was not",
                        where=where,
                        decide=True,
                    )
                )
            else:
                macros.setdefault(defined[1], expanded(defined[2].strip(), macros))
            continue
        if (begun := _SECTION.fullmatch(raw.strip())) is not None:
            section = begun[1]
            if section == "changelog":
                continue
            current = _chosen(packages, begun[2].split(), macros, made=section == "package")
            current.sections.setdefault(section, [])
            current.listed = FileList(current.name)
            if section == "files" and "-f" in begun[2].split():
                text = "the list of files that a build writes was not read; import the packages"
                current.notes.append(Note(text=text, where=where, decide=True))
            continue
        line = expanded(raw, macros) if section in _READ else raw
        if section in ("preamble", "package"):
            _tag(current, line, where, macros, main=current is packages[0])
        elif section == "changelog":
            changelog.append(line)
        elif section == "files":
            current.installed.extend(current.listed.read(line))
            for lost in current.listed.unknown:
                text = (
                    f"only a build knows what {lost} is; import the finished packages, or write it"
                )
                current.notes.append(Note(text=text, where=where, decide=True))
            current.listed.unknown.clear()
        else:
            current.sections.setdefault(section, []).append(line)
    return packages, changelog


def _undecided(raw: str, macros: Mapping[str, str], where: str) -> Note:
    """What to say of a condition whose branches were all read."""
    text = "all branches were read, as this condition can't be weighed"
    if names := unknown(raw, macros):
        asked = " ".join(f"--define {name}=VALUE" for name in names)
        text = f"all branches were read, as nothing says what {', '.join(names)} is: {asked}"
    return Note(text=text, where=where, decide=True)


def _units(path: Path, package: _Package) -> dict[str, str]:
    """The services that lie beside the spec or in SOURCES, as rpmbuild's directories have them."""
    services = {
        each.path: basename(each.path)
        for each in package.installed
        if each.path.endswith(".service")
    }
    beside, sources = path.parent, path.parent.parent / "SOURCES"
    return unit_texts(sources, services) | unit_texts(beside, services)


def _chosen(
    packages: list[_Package], words: list[str], macros: Mapping[str, str], *, made: bool
) -> _Package:
    """The package that a section is about: `-n NAME`, or a suffix of the main one's name."""
    named = [word for word in words if word != "-n" and not word.startswith("-")]
    if not named:
        return packages[0]
    name = expanded(named[0], macros)
    if "-n" not in words:
        name = f"{packages[0].name}-{name}"
    for package in packages:
        if package.name == name:
            return package
    if made:
        packages.append(_Package(name))
        return packages[-1]
    return packages[0]


def _tag(package: _Package, line: str, where: str, macros: dict[str, str], *, main: bool) -> None:
    match = _TAG.fullmatch(line.strip())
    if match is None:
        return
    key, value = match[1].lower(), match[2].strip()
    if key not in _TAKEN and key not in _RELATIONS:
        return
    if _RUN.search(value):
        package.notes.append(
            Note(text=f"{match[1]} runs a program, and was not taken", where=where, decide=True)
        )
        return
    if key == "name" and main:
        package.name = value
    if key in ("name", "version", "release", "summary") and main:
        macros.setdefault(key, value)
    if (relation := _RELATIONS.get(key)) is None:
        package.tags.setdefault(key, value)
        return
    for name, operator, version in re.findall(
        r"([^\s,<>=]+)(?:\s*(<=|>=|=|<|>)\s*([^\s,]+))?", value
    ):
        # Debian's reader takes `<` for `<=`, its oldest form; the strict one is `<<`.
        strict = {"<": "<<", ">": ">>"}.get(operator, operator)
        text = f"{name} ({strict} {version})" if operator else name
        try:
            package.relations.extend(deb_relations(relation, text))
        except ValueError:
            lost = Note(text=f"{match[1]}: {text} was not taken", where=where, decide=True)
            package.notes.append(lost)


def _day(changelog: list[str]) -> date | None:
    for line in changelog:
        if (match := re.match(r"\*\s+(\w{3} \w{3} +\d{1,2} \d{4})", line)) is not None:
            try:
                moment = datetime.strptime(" ".join(match[1].split()), "%a %b %d %Y")
            except ValueError:
                return None
            return moment.replace(tzinfo=UTC).date()
    return None
