"""A package as Debian wants it: the data entries, and the files of the control member."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from toolchain.model.relation import Operator, Relation, RelationKind
from toolchain.model.release import Format
from toolchain.plan.directories import own_directories
from toolchain.plan.entry import Entry, EntryKind, File
from toolchain.plan.once import require_once
from toolchain.plan.package import Package
from toolchain.render.common import generated
from toolchain.render.gates import transaction_hook
from toolchain.render.island import RunnerFiles, compiled_rooms
from toolchain.render.licence import deb_licence_text
from toolchain.render.lintian import overrides
from toolchain.render.templates import Templates

_FIELDS = {
    RelationKind.DEPENDS: "Depends",
    RelationKind.PROVIDES: "Provides",
    RelationKind.CONFLICTS: "Conflicts",
}
_RESTART = "deb-systemd-invoke restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class DebImage:
    """What stands in the data member, and which scripts and lists in the control member.

    `control` itself comes from `render_control`, since it names the staged size.
    """

    package: Package
    entries: tuple[Entry, ...]
    scripts: Mapping[str, str]
    conffiles: tuple[str, ...]


def deb_operator(operator: Operator) -> str:
    """A comparison as Debian Policy §7.1 spells it; a bare `<` would mean `<=` to old tools."""
    match operator:
        case Operator.EARLIER:
            return "<<"
        case Operator.LATER:
            return ">>"
        case Operator.EARLIER_OR_EQUAL | Operator.EQUAL | Operator.LATER_OR_EQUAL:
            return str(operator.value)
        case _ as never:
            assert_never(never)


def deb_relation(relation: Relation) -> str:
    """One relation as it stands in a control field."""
    if relation.operator is None:
        return relation.name
    return f"{relation.name} ({deb_operator(relation.operator)} {relation.version})"


def deb_fields(relations: Sequence[Relation]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The relation fields in Policy's order, each with its relations; empty fields left out."""
    fields = (
        (field, tuple(deb_relation(item) for item in relations if item.kind is kind))
        for kind, field in _FIELDS.items()
    )
    return tuple((field, values) for field, values in fields if values)


def _wrapped(line: str) -> str:
    """A changelog line of at most 80 columns, further lines below its text."""
    return textwrap.fill(line, 76, subsequent_indent="    ", break_on_hyphens=False)


def _changelog(package: Package, templates: Templates) -> bytes:
    entries = [
        {
            "version": entry.version,
            "lines": tuple(_wrapped(line) for line in entry.lines),
            "stamp": f"{entry.date:%a, %d %b %Y} 00:00:00 +0000",
        }
        for entry in package.changelog
    ]
    changed = {"name": package.name, "changelog": entries, "maintainer": package.maintainer}
    return templates.render("deb/changelog.j2", package=changed).encode()


def render_deb(
    package: Package, templates: Templates, licence_text: str, files: RunnerFiles
) -> DebImage:
    """Everything of a deb except what only staging knows: sizes and checksums."""
    documents = f"/usr/share/doc/{package.name}"
    entries = (
        *package.entries,
        *generated(package, templates, files),
        *transaction_hook(package, templates, Format.DEB),
    )
    copyright_text = templates.render(
        "deb/copyright.j2",
        package=package,
        licence_text=deb_licence_text(package.licence, licence_text),
    )
    lintian = templates.render(
        "deb/lintian-overrides.j2", package=package, overrides=overrides(package, entries)
    )
    own: list[Entry] = [
        *entries,
        File(path=f"{documents}/copyright", content=copyright_text.encode()),
        File(
            path=f"{documents}/changelog.Debian.gz",
            content=_changelog(package, templates),
            gzip=True,
        ),
        File(path=f"/usr/share/lintian/overrides/{package.name}", content=lintian.encode()),
    ]
    require_once(own)
    own += own_directories(own)
    config = [entry for entry in own if isinstance(entry, File) and entry.kind is EntryKind.CONFIG]
    grouped = [entry for entry in config if entry.group != "root"]
    names = []
    if package.services:
        names.append("preinst")
    if package.services or package.protect:
        names.append("prerm")
    if package.services or package.dropped or package.users or package.state or grouped:
        names.append("postinst")
    if package.services or package.state:
        names.append("postrm")
    scripts = {
        name: templates.render(
            f"deb/{name}.j2",
            package=package,
            grouped=grouped,
            rooms=compiled_rooms(package, files),
            restart_command=_RESTART,
            handshake=package.handshake,
        )
        for name in names
    }
    return DebImage(
        package=package,
        entries=tuple(own),
        scripts=scripts,
        conffiles=tuple(entry.path for entry in config),
    )


def render_control(package: Package, templates: Templates, installed_kib: int) -> str:
    """The control file; `installed_kib` is the size of the staged files in KiB (§5.6.20)."""
    return templates.render(
        "deb/control.j2",
        package=package,
        installed_kib=installed_kib,
        fields=deb_fields(package.all_relations(Format.DEB)),
    )
