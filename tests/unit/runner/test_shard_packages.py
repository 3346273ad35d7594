"""A shard's package as real dpkg and rpm read it, and what it says to them of the law."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest
from debian.deb822 import Deb822

from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Relation as Planned
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.relations import shard_relations
from toolchain.render.deb import deb_relation
from toolchain.runner.core.errors import ConfigurationError
from toolchain.runner.core.law import Handshake, Server, compatible
from toolchain.runner.core.version import Schemas, Versions
from toolchain.runner.packages.relation import Relation
from toolchain.runner.packages.rpm_file import rpm_bytes
from toolchain.runner.packages.shard_formats import control_text, rpm_package, write_deb, write_rpm
from toolchain.runner.packages.shard_package import (
    InstalledServer,
    ShardPackage,
    packaged,
    read_version,
    shard_package,
)
from toolchain.verify.halves import Names

BUILT = 1_780_000_000
RELEASES = ("3.9.0", "4.0.0-rc1", "4.0.0", "4.1.0", "4.2.0")


def tool(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


def installed(
    version: str = "4.0.0", oldest: int = 11, below: int | None = None
) -> InstalledServer:
    server = Server(version, Schemas(oldest, below), Versions("3.9.0"))
    return InstalledServer(server, f"{packaged(version)}-1")


def a_package(schema: int = 11, oldest: str = "3.9.0", below: str | None = None) -> ShardPackage:
    return shard_package(
        "fleetdesk", "north-1", Handshake(schema, Versions(oldest, below)), installed()
    )


SAMPLES = (
    a_package(),
    a_package(12, "4.0.0-rc1", "5.0.0"),
    a_package(13, "4.1.0"),
    a_package(10, "3.9.0"),
)


@pytest.mark.parametrize("package", SAMPLES, ids=lambda package: package.version)
def test_rpm_reads_every_field_and_installs_it(package: ShardPackage, tmp_path: Path) -> None:
    file = str(write_rpm(package, tmp_path, BUILT))
    checked = tool("rpm", "-Kv", "--nosignature", file)
    for digest in ("Header SHA256", "Header SHA1", "Payload SHA256", "MD5"):
        assert f"{digest} digest: OK" in checked

    def ask(form: str) -> list[str]:
        return tool("rpm", "-qp", "--nosignature", "--queryformat", form, file).splitlines()

    version = package.version.removesuffix("-1")
    assert ask("%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{OS} %{BUILDTIME} %{SIZE}") == [
        f"fleetdesk-shard-north-1 {version} 1 noarch linux {BUILT} 24"
    ]
    assert ask("%{SUMMARY}\n%{DESCRIPTION}") == [rpm_package(package, BUILT).summary] * 2
    assert ask("[%{PROVIDENEVRS}\n]") == [
        f"fleetdesk-shard-north-1 = {package.version}",
        *(f"{one.name} {one.operator} {one.version}" for one in package.provides),
    ]
    assert ask("[%{CONFLICTNEVRS}\n]") == [
        f"{one.name} {one.operator} {one.version}" for one in rpm_package(package, 0).conflicts
    ]
    assert ask("[%{REQUIRENAME}\n]")[0] == "fleetdesk-server"
    protected = "/etc/dnf/protected.d/fleetdesk-shard-north-1.conf"
    assert ask("[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILESIZES}\n]") == [
        f"{protected} -rw-r--r-- root 24"
    ]
    assert "Source RPM  : fleetdesk" in tool("rpm", "-qip", "--nosignature", file)

    root = ("rpm", "--root", str(tmp_path / "root"), "--dbpath", "/var/lib/rpm")
    (tmp_path / "root").mkdir()
    tool(*root, "--initdb")
    tool(*root, "-U", "--nodeps", "--nosignature", "--force-debian", file)
    assert tool(*root, "-V", "--nodeps", package.name) == ""
    assert (tmp_path / f"root{protected}").read_text() == f"{package.name}\n"


def test_an_rpm_of_equal_values_is_the_same_file() -> None:
    package = rpm_package(SAMPLES[0], BUILT)
    assert rpm_bytes(package) == rpm_bytes(rpm_package(a_package(), BUILT))


def test_one_changed_bit_anywhere_is_found_by_rpm(tmp_path: Path) -> None:
    """Past the lead, which nobody reads, and the padding between the headers."""
    whole = rpm_bytes(rpm_package(SAMPLES[0], BUILT))
    file = tmp_path / "broken.rpm"
    for position in range(320, len(whole), 97):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        done = subprocess.run(("rpm", "-K", str(file)), capture_output=True, check=False)
        assert done.returncode != 0, position


@pytest.mark.parametrize("package", SAMPLES, ids=lambda package: package.version)
def test_dpkg_reads_every_field(package: ShardPackage, tmp_path: Path) -> None:
    file = write_deb(package, tmp_path, tool)
    control = tool("dpkg-deb", "--field", str(file))
    assert control == control_text(package)
    fields = Deb822(control)
    assert (fields["Package"], fields["Version"]) == (package.name, package.version)
    assert (fields["Protected"], fields["Depends"]) == ("yes", "fleetdesk-server")
    # Without those of the second kind, apt would not name the shard when it refuses.
    conflicts = (*package.conflicts, *package.schema_conflicts)
    assert fields["Conflicts"].split(", ") == [relation.debian for relation in conflicts]
    listing = tool("dpkg-deb", "--contents", str(file)).split()
    assert listing[:2] == ["drwxr-xr-x", "root/root"]


def as_debian(relations: tuple[Planned, ...]) -> set[str]:
    return {deb_relation(relation) for relation in relations}


def test_it_says_what_a_database_package_says() -> None:
    names = Names.usual("fleetdesk")
    shard = ShardHandshake(
        schema=12, servers=Window(Version.parse("4.0.0-rc1"), Version.parse("5.0.0"))
    )
    package = SAMPLES[1]
    said = {one.debian for one in (*package.provides, *package.conflicts)}
    assert said == as_debian(shard_relations(names, shard))


def refuses(relation: Relation, name: str, version: str) -> bool:
    operator = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt"}[relation.operator]
    compare = ("dpkg", "--compare-versions", version, operator, relation.version)
    return relation.name == name and subprocess.run(compare, check=False).returncode == 0


def allowed(package: ShardPackage, candidate: Server) -> bool:
    """Whether a solver may put the server beside the package: neither conflicts with the other."""
    schemas = candidate.schemas
    has = [("fleetdesk-server", f"{packaged(candidate.version)}-1")]
    has.append(("fleetdesk-server-oldest-schema", str(schemas.oldest)))
    if schemas.below is not None:
        has.append(("fleetdesk-server-schema-below", str(schemas.below)))
    said = (*package.conflicts, *package.schema_conflicts)
    provided = all(int(one.version) in schemas for one in package.provides)
    return provided and not any(refuses(one, *pair) for one in said for pair in has)


@pytest.mark.parametrize("below", [None, 12])
@pytest.mark.parametrize("window", [("3.9.0", None), ("4.1.0", None), ("3.9.0", "4.0.0")])
@pytest.mark.parametrize("schema", [10, 11, 12, 13])
def test_the_relations_are_the_law_and_spare_the_installed_server(
    schema: int, window: tuple[str, str | None], below: int | None
) -> None:
    here = installed("4.0.0", 11, below)
    shard = Handshake(schema, Versions(*window))
    package = shard_package("fleetdesk", "north", shard, here)
    assert allowed(package, here.server), "what is installed is never in conflict"
    for version, oldest in itertools.product(RELEASES, (10, 11, 12, 13)):
        candidate = Server(version, Schemas(oldest), Versions("3.9.0"))
        fits = compatible(candidate, shard)
        if package.spared is None:
            assert allowed(package, candidate) is fits, candidate
        elif fits and (version < "4.0.0" or oldest >= here.server.schemas.oldest):
            # Whatever mends an illegal state is let in, as no later release needs less.
            assert allowed(package, candidate), candidate


def test_versions_begin_with_the_schema_and_differ_with_the_content() -> None:
    readings = [
        Handshake(schema, Versions(oldest, below))
        for schema in (1, 11, 12)
        for oldest in ("3.9.0", "4.0.0-rc1", "4.0.0")
        for below in (None, "5.0.0")
    ]
    servers = [installed(), installed("4.1.0", 12), installed("4.1.0-rc1", 12)]
    packages = {
        shard_package("fleetdesk", "north", one, server) for one in readings for server in servers
    }
    by_content = {control_text(package): package.version for package in packages}
    assert len(set(by_content.values())) == len(by_content)
    for package in packages:
        assert package.version.startswith(f"{package.handshake.schema}+")
        assert read_version(package.version) == package.handshake
    assert read_version("4.2.0-1") is None


@pytest.mark.parametrize(
    ("product", "shard"),
    [("fleetdesk", "north\nProtected: no"), ("fleetdesk", "-rf"), ("a b", "north"), ("x", "..")],
)
def test_what_makes_no_name_is_refused(product: str, shard: str) -> None:
    with pytest.raises(ConfigurationError):
        ShardPackage(product, shard, Handshake(1, Versions("1.0.0")))


def test_what_makes_no_version_is_refused() -> None:
    for version in ("1.0.0\nX: y", "4.0.0", "$(id)-1"):
        with pytest.raises(ConfigurationError):
            InstalledServer(installed().server, version)
