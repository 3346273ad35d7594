"""A shard package as a file: a deb by dpkg-deb, which every dpkg brings, or an rpm by ourselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .relation import Relation
from .rpm_file import RpmPackage, rpm_bytes
from .shard_package import ShardPackage

_SUMMARY = "live numbers of a shard, kept by {agent} sync"
# No licence binds what states facts.
_LICENCE = "CC0-1.0"


def write_deb(package: ShardPackage, folder: Path, run: Callable[..., object]) -> Path:
    """Write the deb into a folder of our own; `run` runs dpkg-deb and raises for its failure."""
    tree, target = folder / "tree", folder / f"{package.name}.deb"
    (tree / "DEBIAN").mkdir(mode=0o755, parents=True)
    for directory in (tree, tree / "DEBIAN"):
        directory.chmod(0o755)
    control = tree / "DEBIAN" / "control"
    control.write_text(control_text(package), encoding="utf-8")
    control.chmod(0o644)
    run("dpkg-deb", "--build", "--root-owner-group", "-Zgzip", str(tree), str(target))
    return target


def control_text(package: ShardPackage) -> str:
    """The control file of the deb."""
    agent = package.server_package
    fields = (
        ("Package", package.name),
        ("Version", package.version),
        ("Architecture", "all"),
        ("Maintainer", f"{agent} <root@localhost>"),
        ("Depends", agent),
        ("Provides", _joined(package.provides)),
        ("Conflicts", _joined((*package.conflicts, *package.schema_conflicts))),
        ("Section", "admin"),
        ("Priority", "optional"),
        # dpkg 1.20.1 and apt 2.3 know the first, older releases of apt the second.
        ("Protected", "yes"),
        ("Important", "yes"),
        ("Description", _SUMMARY.format(agent=agent)),
    )
    lines = "".join(f"{name}: {value}\n" for name, value in fields if value)
    return f"{lines} {package.summary}.\n"


def write_rpm(package: ShardPackage, folder: Path, built: int) -> Path:
    """Write the rpm into a folder of our own; `built` is the time that it shows."""
    target = folder / f"{package.name}.rpm"
    target.write_bytes(rpm_bytes(rpm_package(package, built)))
    return target


def rpm_package(package: ShardPackage, built: int) -> RpmPackage:
    """The rpm: the relations, and the file that keeps dnf from removing it."""
    version, _, release = package.version.rpartition("-")
    return RpmPackage(
        name=package.name,
        version=version,
        release=release,
        summary=f"{package.summary}; kept by {package.server_package} sync",
        licence=_LICENCE,
        built=built,
        requires=(Relation(package.server_package),),
        provides=package.provides,
        # rpm and dnf name the package that provides a schema, so the law need not stand there
        # twice; but a schema that the installed server does not bear is not provided.
        conflicts=package.conflicts
        if package.provides
        else (*package.conflicts, *package.schema_conflicts),
        files={f"/etc/dnf/protected.d/{package.name}.conf": f"{package.name}\n".encode()},
    )


def _joined(relations: tuple[Relation, ...]) -> str:
    return ", ".join(relation.debian for relation in relations)
