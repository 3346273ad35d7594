"""Packages for the tests of verification: built ones, tampered ones, and hand-written ones."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tests.conftest import REPOSITORY
from toolchain.edge.process import Processes
from toolchain.model.carried import Carried, PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import Format, Product
from toolchain.verify.expected import law_relations
from toolchain.verify.halves import DatabaseHalf, Names, ServerHalf
from toolchain.verify.intake import package_paths, read_packages
from toolchain.verify.run import Answer, Verifier
from toolchain.verify.witness import Witness

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


def quiet(_done: int, _total: int, _what: str) -> None:
    """A progress that nobody watches."""


def build(product: Path, output: Path) -> Path:
    """The product's packages in both formats."""
    argv = (sys.executable, "-m", "toolchain", "build", str(product), "--output", str(output))
    subprocess.run(argv, check=True, capture_output=True, cwd=REPOSITORY)
    return output


def read(*paths: Path) -> tuple[PackageFile, ...]:
    return read_packages(package_paths(paths), Processes(), quiet)


def verify(
    files: Iterable[PackageFile],
    product: Product | None = None,
    *,
    witnesses: tuple[Witness, ...] = (),
    transitions: bool = False,
) -> Answer:
    """Verify packages that have been read, by libsolv and by the given witnesses only."""
    verifier = Verifier(witnesses=witnesses, report=quiet, product=product, transitions=transitions)
    return verifier.verify(tuple(files))


def swapped(
    files: Iterable[PackageFile], old: PackageFile, new: PackageFile
) -> tuple[PackageFile, ...]:
    """The same packages, one of them in another form."""
    return tuple(new if file is old else file for file in files)


def with_relations(file: PackageFile, relations: Iterable[Carried]) -> PackageFile:
    return replace(file, relations=tuple(relations))


NAMES = Names.usual("acme")


def window(low: object, below: object) -> dict[str, object]:
    return {"oldest": low, "below": below}


def release(
    format_: Format, server: ServerHandshake, shard: ShardHandshake
) -> tuple[PackageFile, PackageFile]:
    """A server and a database package in memory, with the relations that they should have."""
    versions = server.peers, shard.servers
    peers, servers = (window(str(one.oldest), one.below and str(one.below)) for one in versions)
    document = {
        "product": NAMES.product,
        "release": str(server.version),
        "server": {"schema": window(server.schemas.oldest, server.schemas.below), "peers": peers},
        "database": {"schema": shard.schema, "servers": servers},
    }

    def file(name: str) -> PackageFile:
        version = f"{server.version.packaged}-1"
        return PackageFile(
            path=f"/{name}-{version}.{format_.value}",
            format=format_,
            name=name,
            version=version,
            architecture="all" if format_ is Format.DEB else "noarch",
            relations=(),
            protected=True,
            sha256=f"{name}-{version}",
            size=1,
            handshake=json.dumps(document).encode(),
        )

    own = ServerHalf(file=file(NAMES.server_package), says=server)
    other = DatabaseHalf(file=file(NAMES.database_package), release=server.version, says=shard)
    filled = [
        with_relations(half.file, sorted(law_relations(NAMES, half), key=str))
        for half in (own, other)
    ]
    return filled[0], filled[1]


def repack(deb: Path, target: Path, edit: Callable[[str], str]) -> Path:
    """A real deb with another control file."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work) / "tree"
        subprocess.run(("dpkg-deb", "-R", str(deb), str(tree)), check=True, capture_output=True)
        control = tree / "DEBIAN/control"
        before = control.read_text()
        after = edit(before)
        assert after != before
        control.write_text(after)
        pack(tree, target / deb.name)
    return target / deb.name


def pack(tree: Path, target: Path) -> None:
    argv = ("dpkg-deb", "--root-owner-group", "--build", str(tree), str(target))
    subprocess.run(argv, check=True, capture_output=True)


def shelf(source: Path, target: Path, pattern: str = "*.deb") -> Path:
    """A directory of its own with some of the packages."""
    target.mkdir(parents=True, exist_ok=True)
    for package in source.glob(pattern):
        shutil.copy(package, target)
    return target


def plain_deb(directory: Path, name: str, version: str, **fields: str) -> Path:
    """A deb as somebody writes it by hand, without any file in it."""
    control = {
        "Package": name,
        "Version": version,
        "Architecture": "all",
        "Maintainer": "Nobody <nobody@example.org>",
        "Description": "a sample",
        **{field.replace("_", "-"): value for field, value in fields.items()},
    }
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work) / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN").chmod(0o755)
        text = "".join(f"{field}: {value}\n" for field, value in control.items())
        (tree / "DEBIAN/control").write_text(text)
        target = directory / f"{name}_{version.replace(':', '%3a')}_all.deb"
        pack(tree, target)
    return target


def plain_rpm(directory: Path, name: str, version: str, **tags: str) -> Path:
    """An rpm as somebody writes it by hand; `tags` may bring an Epoch."""
    directory.mkdir(parents=True, exist_ok=True)
    head = {"Name": name, "Version": version, "Release": "1", "Summary": "a sample"}
    head |= {"License": "MIT", "BuildArch": "noarch", **tags}
    lines = "".join(f"{tag}: {value}\n" for tag, value in head.items())
    with tempfile.TemporaryDirectory() as work:
        spec = Path(work) / "sample.spec"
        spec.write_text(f"{lines}%description\nA sample.\n%files\n")
        macros = (f"_topdir {work}", f"_rpmdir {work}/out", f"_dbpath {work}/database")
        defines = [word for macro in macros for word in ("--define", macro)]
        subprocess.run(("rpmbuild", "-bb", *defines, str(spec)), check=True, capture_output=True)
        (made,) = Path(work).glob("out/noarch/*.rpm")
        return Path(shutil.copy(made, directory))
