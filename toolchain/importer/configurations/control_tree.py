"""A tree that `dpkg-deb --build` would pack: DEBIAN/control by hand, and the files beside it."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import unit_texts
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
_MOST = 20_000


def read_control_tree(tree: Path, values: Mapping[str, str]) -> Facts:
    """The package of a tree; raises UsageError."""
    from debian.deb822 import Deb822  # noqa: PLC0415  (slow to import)

    control = tree / "DEBIAN/control"
    text = read_text(control, _LONGEST)
    for key, value in values.items():
        text = text.replace(f"${{{key}}}", value)
    fields = {str(key): str(value) for key, value in Deb822(text).items()}
    name, version = fields.get("Package", ""), values.get("version") or fields.get("Version", "")
    if not name:
        raise refuse(str(control), 1, "it names no Package", "name the tree of a package")
    # What a build would put there: @VERSION@, [[version]] and the like.
    if not re.match(r"[0-9]", version):
        raise UsageError(
            f"{control} has no version that is plain", "give it: --define version=X.Y.Z"
        )
    conffiles = frozenset(_beside(tree, "DEBIAN/conffiles").split())
    relations, notes = control_relations(fields, str(control))
    installed = tuple(_installed(tree, conffiles))
    services = {each.path: each.source for each in installed if each.path.endswith(".service")}
    return Facts(
        where=str(control),
        base=str(tree),
        name=name,
        version=release_of(version, str(control)),
        full_version=version,
        format=Format.DEB,
        architecture=fields.get("Architecture", "all"),
        texts=control_texts(fields)
        | copyright_texts(_beside(tree, f"usr/share/doc/{name}/copyright")),
        relations=relations,
        installed=installed,
        scripts={script: said for script in SCRIPTS if (said := _beside(tree, f"DEBIAN/{script}"))},
        units=unit_texts(tree, services),
        notes=notes,
    )


def _installed(tree: Path, conffiles: frozenset[str]) -> Iterator[Installed]:
    """What lies in the tree; the owners are root's, as with --root-owner-group."""
    found = sorted(path for path in tree.rglob("*") if path.relative_to(tree).parts[0] != "DEBIAN")
    if len(found) > _MOST:
        raise UsageError(f"{tree} holds more than {_MOST} files", "name the tree of a package")
    for path in found:
        source = path.relative_to(tree).as_posix()
        target = f"/{source}"
        if path.is_symlink():
            kind = Kind.LINK
        elif path.is_dir():
            kind = Kind.DIRECTORY
        elif not path.is_file():
            kind = Kind.SPECIAL
        else:
            kind = Kind.CONFIG if target in conffiles else Kind.FILE
        mode = None if kind is Kind.LINK else stat.S_IMODE(path.stat().st_mode)
        yield Installed(path=target, kind=kind, mode=mode, source=source)


def _beside(tree: Path, name: str) -> str:
    path = tree / name
    return read_text(path, _LONGEST) if path.is_file() and inside(tree, path) else ""
