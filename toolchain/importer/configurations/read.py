"""A configuration by its name: which reader it belongs to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.configurations.control_tree import read_control_tree
from toolchain.importer.configurations.debian import read_debian
from toolchain.importer.configurations.fpm import read_fpm
from toolchain.importer.configurations.nfpm import read_nfpm
from toolchain.importer.configurations.rpm_spec import read_spec
from toolchain.importer.facts import Facts


def read_configuration(path: Path, values: Mapping[str, str]) -> Sequence[Facts]:
    """The packages that a configuration describes; raises UsageError."""
    if path.name == "control":
        path = path.parent
    tree = path.parent if path.name == "DEBIAN" else path
    if (tree / "DEBIAN/control").is_file():
        return (read_control_tree(tree, values),)
    if path.is_dir():
        folder = path if (path / "control").is_file() else path / "debian"
        if (folder / "control").is_file():
            return read_debian(folder, values)
        raise UsageError(
            f"{path} holds no debian/control and no DEBIAN/control",
            "name nfpm.yaml, a .spec, a .fpm file, debian/ or the tree of a package",
        )
    if path.suffix in (".yaml", ".yml"):
        return (read_nfpm(path, values),)
    if path.suffix == ".spec":
        return read_spec(path, values)
    return read_fpm(path, values)
