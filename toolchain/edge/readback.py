"""What a built package really says of itself, read from its own bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.model.relation import Operator, Relation, RelationKind

_DEB_FIELDS = {
    "Provides": RelationKind.PROVIDES,
    "Conflicts": RelationKind.CONFLICTS,
    "Depends": RelationKind.DEPENDS,
}
# Fields in which a relation would mean another thing than the plan says.
_DEB_OTHERS = ("Pre-Depends", "Recommends", "Suggests", "Enhances", "Breaks", "Replaces")
_DEB_RELATION = re.compile(r"([a-z0-9][a-z0-9.+-]+)(?:\s*\((<<|<=|=|>=|>>)\s*([^\s()]+)\))?")
_OPERATORS = {"<<": "<", ">>": ">"}

_RPM_TAGS = {
    "PROVIDE": RelationKind.PROVIDES,
    "CONFLICT": RelationKind.CONFLICTS,
    "REQUIRE": RelationKind.DEPENDS,
}
# Relations and triggers that no plan makes; a trigger would be a script that slipped in.
_RPM_OTHERS = (
    *("OBSOLETE", "RECOMMEND", "SUGGEST", "SUPPLEMENT", "ENHANCE"),
    *("TRIGGER", "FILETRIGGER", "TRANSFILETRIGGER"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPackage:
    """Identity, relations and files of a package file; `files` is None where it isn't listed."""

    name: str
    version: str
    architecture: str
    relations: frozenset[Relation]
    unexpected: tuple[str, ...]
    files: frozenset[str] | None = None


def _relation(kind: RelationKind, name: str, operator: str, version: str) -> Relation:
    return Relation(
        kind=kind,
        name=name,
        operator=Operator(_OPERATORS.get(operator, operator)) if operator else None,
        version=version or None,
    )


def read_deb(path: Path) -> BuiltPackage:
    """Read a deb's control member; raises ValueError when it is no deb or has odd relations."""
    from debian.debfile import DebFile  # noqa: PLC0415  (costs 60 ms that most commands save)

    with DebFile(filename=str(path)) as deb:
        control = deb.debcontrol()
    relations = []
    for field, kind in _DEB_FIELDS.items():
        for text in filter(None, (part.strip() for part in control.get(field, "").split(","))):
            match = _DEB_RELATION.fullmatch(text)
            if match is None:
                raise ValueError(f"{path.name}: {field} holds {text!r}")
            relations.append(_relation(kind, match[1], match[2] or "", match[3] or ""))
    return BuiltPackage(
        name=control["Package"],
        version=control["Version"],
        architecture=control["Architecture"],
        relations=frozenset(relations),
        unexpected=tuple(field for field in _DEB_OTHERS if control.get(field)),
    )


def _rpm_format() -> str:
    lists = "".join(
        rf"[{tag}\t%{{{tag}NAME}}\t%{{{tag}FLAGS:depflags}}\t%{{{tag}VERSION}}\n]"
        for tag in (*_RPM_TAGS, *_RPM_OTHERS)
    )
    identity = r"PACKAGE\t%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n"
    return identity + lists + r"[FILE\t%{FILENAMES}\n]"


def _is_rpms_own(kind: RelationKind, name: str, package: str) -> bool:
    """What rpm adds by itself: the package's own name, `config(…)`, `rpmlib(…)` and the shell."""
    if name.startswith("rpmlib(") or name == f"config({package})":
        return True
    if kind is RelationKind.PROVIDES:
        return name == package or name.startswith(f"{package}(")
    return kind is RelationKind.DEPENDS and name == "/bin/sh"


def read_rpms(paths: Sequence[Path], processes: Processes) -> tuple[BuiltPackage, ...]:
    """Read several rpms' headers with one query; raises ToolError when rpm can't read one."""
    argv = ("rpm", "-qp", "--nosignature", "--queryformat", _rpm_format())
    output = processes.run(Command(argv=(*argv, *(str(path) for path in paths))))
    return tuple(
        _rpm_package(block.splitlines())
        for block in re.split(r"^PACKAGE\t", output, flags=re.M)[1:]
    )


def _rpm_package(lines: list[str]) -> BuiltPackage:
    name, version, architecture = lines[0].split("\t")
    relations, unexpected, files = set(), [], set()
    for line in lines[1:]:
        tag, *fields = line.split("\t")
        if tag == "FILE":
            files.add("\t".join(fields))
        elif fields[0] == "(none)":
            continue
        elif tag in _RPM_OTHERS:
            unexpected.append(tag.title() + "s")
        elif not _is_rpms_own(_RPM_TAGS[tag], fields[0], name):
            operator = fields[1].strip()
            relations.add(_relation(_RPM_TAGS[tag], fields[0], operator, fields[2]))
    return BuiltPackage(
        name=name,
        version=version,
        architecture=architecture,
        relations=frozenset(relations),
        unexpected=tuple(unexpected),
        files=frozenset(files),
    )
