"""nfpm.yaml, as nfpm's documentation describes its keys."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import copied, script_text, unit_texts
from toolchain.importer.configurations.variables import filled
from toolchain.importer.facts import Facts, Installed, Kind, Note
from toolchain.importer.texts import read_text
from toolchain.importer.versions import release_of
from toolchain.model.carried import Carried, Field
from toolchain.spec.located.node import Items, Node, Scalar, Table
from toolchain.spec.located.read_yaml import read_yaml
from toolchain.spec.located.text import SPEC_LIMIT

_TEXTS = {
    "maintainer": "maintainer", "homepage": "homepage", "license": "licence",
    "description": "description",
}  # fmt: skip
_RELATIONS = {"depends": Field.DEPENDS, "conflicts": Field.CONFLICTS, "breaks": Field.BREAKS}
_KINDS = {
    "": Kind.FILE, "file": Kind.FILE, "tree": Kind.FILE, "config": Kind.CONFIG,
    "config|noreplace": Kind.CONFIG, "config|missingok": Kind.CONFIG, "dir": Kind.DIRECTORY,
    "symlink": Kind.LINK, "ghost": Kind.SPECIAL, "doc": Kind.FILE, "licence": Kind.FILE,
    "license": Kind.FILE, "readme": Kind.FILE,
}  # fmt: skip
_TAKEN = frozenset({
    *_TEXTS, *_RELATIONS, "name", "version", "arch", "contents", "scripts", "prerelease", "epoch",
    "release", "platform", "section", "priority", "version_schema", "provides", "replaces",
    "recommends", "suggests", "vendor", "mtime", "umask", "disable_globbing", "overrides",
})  # fmt: skip


_FORMATS = ("deb", "rpm")


def read_nfpm(path: Path, values: Mapping[str, str]) -> Facts:
    """The package that an nfpm.yaml describes; raises UsageError."""
    root, problems = read_yaml(str(path), read_text(path, SPEC_LIMIT))
    if problems:
        raise UsageError(f"{problems[0].origin}: {problems[0].message}", problems[0].cure)
    if not isinstance(root, Table):
        raise UsageError(f"{path}: this is no mapping", "name nfpm's configuration")
    for key in ("name", "version"):
        if not _text(root, key, values):
            raise UsageError(f"{path}: it has no {key}", "name nfpm's configuration")
    base = path.parent
    version = _text(root, "version", values)
    if prerelease := _text(root, "prerelease", values):
        version = f"{version}-{prerelease}"
    description = _text(root, "description", values)
    texts = {ours: text for key, ours in _TEXTS.items() if (text := _text(root, key, values))}
    if description:
        texts["summary"] = description.strip().partition("\n")[0]
    installed = tuple(_installed(root, base, values))
    return Facts(
        where=str(path),
        base=str(base),
        name=_text(root, "name", values),
        version=release_of(version, str(path)),
        full_version=version,
        architecture=_text(root, "arch", values) or "amd64",
        texts=texts,
        relations=tuple(_relations(root, values)),
        installed=installed,
        scripts={
            name: script_text(base, filled(node.text, values, node.mark.file, node.mark.line))
            for name, node in _table(root, "scripts").nodes.items()
            if isinstance(node, Scalar)
        },
        units=unit_texts(
            base, {each.path: each.source for each in installed if each.path.endswith(".service")}
        ),
        notes=tuple(_left(root, values)),
    )


def _text(table: Table, key: str, values: Mapping[str, str]) -> str:
    node = table.nodes.get(key)
    if not isinstance(node, Scalar):
        return ""
    return filled(node.text, values, node.mark.file, node.mark.line)


def _table(table: Table, key: str) -> Table:
    node = table.nodes.get(key)
    return node if isinstance(node, Table) else Table({}, {}, table.mark)


def _items(table: Table, key: str) -> tuple[Node, ...]:
    node = table.nodes.get(key)
    return node.nodes if isinstance(node, Items) else ()


def _installed(root: Table, base: Path, values: Mapping[str, str]) -> Iterator[Installed]:
    for node in _items(root, "contents"):
        if not isinstance(node, Table):
            continue
        if _text(node, "packager", values) not in ("", *_FORMATS):
            continue  # for a format that Interlock does not build
        info = _table(node, "file_info")
        mode = _text(info, "mode", values)
        one = Installed(
            path="/" + _text(node, "dst", values).lstrip("/"),
            kind=_KINDS.get(_text(node, "type", values), Kind.SPECIAL),
            mode=int(mode, 8) if mode and set(mode) <= set("01234567o") else None,
            owner=_text(info, "owner", values) or "root",
            group=_text(info, "group", values) or "root",
            source=_text(node, "src", values),
        )
        yield from copied(one, base, tree=_text(node, "type", values) == "tree")


def _relations(root: Table, values: Mapping[str, str]) -> Iterator[Carried]:
    deb = _table(_table(root, "overrides"), "deb")
    for key, field in _RELATIONS.items():
        # Breaks exists for debs alone, and what is overridden for debs is what debs have.
        where = _table(root, "deb") if key == "breaks" else deb if key in deb.nodes else root
        for node in _items(where, key):
            if isinstance(node, Scalar):
                text = filled(node.text, values, node.mark.file, node.mark.line)
                try:
                    yield from deb_relations(field, text)
                except ValueError:
                    raise UsageError(
                        f"{node.origin}: {text!r} is no relation", "write NAME or NAME (>= VERSION)"
                    ) from None


def _left(root: Table, values: Mapping[str, str]) -> Iterator[Note]:
    for key, mark in root.keys.items():
        if key not in _TAKEN and key not in ("deb", "rpm", "apk", "archlinux", "ipk"):
            yield Note(text=f"{key} was not taken", where=f"{mark.file}:{mark.line}", decide=True)
    for node in _items(root, "contents"):
        if isinstance(node, Table) and (only := _text(node, "packager", values)) in _FORMATS:
            text = f"this is for the {only} alone, and a spec installs the same files by both"
            yield Note(text=text, where=f"{node.mark.file}:{node.mark.line}", decide=True)
    for key in _table(root, "overrides").keys:
        if key != "deb":
            text = f"what is overridden for {key} was not taken: see server.depends"
            yield Note(text=text, where=str(root.origin.file), decide=True)
