"""A pair as rpm wants it: one spec file with both packages, and the entries of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from toolchain.model.relation import Relation, RelationKind
from toolchain.model.release import Architecture, Format
from toolchain.plan.directories import own_directories
from toolchain.plan.entry import Directory, Entry, EntryKind, File, Link
from toolchain.plan.once import require_once
from toolchain.plan.package import Package
from toolchain.render.common import generated, restart, sysusers
from toolchain.render.gates import transaction_hook
from toolchain.render.island import RunnerFiles, compiled_rooms
from toolchain.render.quoting import rpm_path, rpm_text
from toolchain.render.templates import Templates

_TAGS = {
    RelationKind.DEPENDS: "Requires",
    RelationKind.PROVIDES: "Provides",
    RelationKind.CONFLICTS: "Conflicts",
}
_ARCHITECTURES = {
    Architecture.ALL: "noarch",
    Architecture.AMD64: "x86_64",
    Architecture.ARM64: "aarch64",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmImage:
    """One binary package of the spec, its lines ready for the layout."""

    package: Package
    entries: tuple[Entry, ...]
    noarch: bool
    relations: tuple[str, ...]
    description: str
    sysusers: str
    restart: str
    last_resort: str
    compile: str
    clear: str
    plugin_link: str
    files: tuple[str, ...]

    @property
    def plugin_module(self) -> str:
        """The name under which dnf finds the package's plugin."""
        return self.package.name.replace("-", "_")


def rpm_architecture(architecture: Architecture) -> str:
    """Rpm's name of an architecture."""
    return _ARCHITECTURES[architecture]


def rpm_relation(relation: Relation) -> str:
    """One relation as a spec's tag writes it."""
    tail = "" if relation.operator is None else f" {relation.operator.value} {relation.version}"
    return f"{relation.name}{tail}"


def _file_line(entry: Entry) -> str:
    path = rpm_path(entry.path)
    match entry:
        case Directory(mode=mode):
            return f"%dir %attr({mode:04o}, root, root) {path}"
        case Link():
            return f"%attr(-, root, root) {path}"
        case File(mode=mode, group=group, kind=kind):
            marks = {
                EntryKind.PLAIN: "",
                EntryKind.CONFIG: "%config(noreplace) ",
                EntryKind.DOCUMENT: "%doc ",
                EntryKind.LICENCE: "%license ",
            }
            return f"{marks[kind]}%attr({mode:04o}, root, {group}) {path}"
        case _ as never:
            assert_never(never)


def _image(
    package: Package, templates: Templates, licence_text: str, files: RunnerFiles
) -> RpmImage:
    own: list[Entry] = [*package.entries, *generated(package, templates, files)]
    own += transaction_hook(package, templates, Format.RPM)
    path = f"/usr/share/licenses/{package.name}/LICENSE"
    own.append(File(path=path, content=licence_text.encode(), kind=EntryKind.LICENCE))
    if package.protect:
        path = f"/etc/dnf/protected.d/{package.name}.conf"
        own.append(File(path=path, content=f"{package.name}\n".encode(), kind=EntryKind.CONFIG))
    rooms = compiled_rooms(package, files)
    require_once(own)
    own += own_directories(own)
    own.sort(key=lambda entry: entry.path)
    return RpmImage(
        package=package,
        entries=tuple(own),
        noarch=package.architecture is Architecture.ALL,
        relations=tuple(
            f"{_TAGS[relation.kind]}: {rpm_text(rpm_relation(relation))}"
            for relation in package.all_relations(Format.RPM)
        ),
        description=rpm_text(package.description.strip()),
        sysusers=sysusers(package, templates) if package.users else "",
        restart=restart(package, templates, "systemctl restart") if package.services else "",
        last_resort=_last_resort(package, templates) if package.services else "",
        compile=templates.render("common/compile.j2", rooms=rooms) if rooms else "",
        clear=templates.render("common/clear.j2", rooms=rooms) if rooms else "",
        plugin_link=templates.render("rpm/plugin-link.j2") if package.dnf_plugin else "",
        files=tuple(_file_line(entry) for entry in own),
    )


def _last_resort(package: Package, templates: Templates) -> str:
    return templates.render("common/last-resort.j2", package=package, handshake=package.handshake)


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmSpec:
    """A spec file's text with the images whose files rpmbuild will look for."""

    text: str
    images: tuple[RpmImage, ...]


def render_rpm(
    packages: Sequence[Package], templates: Templates, licence_text: str, files: RunnerFiles
) -> RpmSpec:
    """One spec for packages of one release; the first gives the spec its name."""
    images = tuple(_image(package, templates, licence_text, files) for package in packages)
    changelog = [
        {
            "version": entry.version,
            "lines": entry.lines,
            "stamp": f"{entry.date:%a %b %d %Y}",
        }
        for entry in packages[0].changelog
    ]
    head = packages[0]
    main = {
        "epoch": head.epoch,
        "name": head.name,
        "version": head.version,
        "revision": head.revision,
        "summary": head.summary,
        "licence": head.licence,
        "homepage": head.homepage,
        "maintainer": head.maintainer,
        "changelog": changelog,
    }
    text = templates.render("rpm/spec.j2", main=main, images=images)
    return RpmSpec(text=text, images=images)
