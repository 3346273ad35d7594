"""SBOM and statement on their way into a repository."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Interlock
from tests.signing import Keys
from tests.verify_samples import plain_deb
from toolchain.edge.digests import sha256_of
from toolchain.errors import RefusedError, UsageError
from toolchain.publish.attest import companions, published_statement


def test_the_companions_of_a_package_are_its_own(packages: Path):
    package = packages / "demo-server_1.0.0-1_all.deb"
    assert [path.name for path in companions(package, sha256_of(package))] == [
        f"{package.name}.cdx.json",
        f"{package.name}.provenance.json",
    ]


def test_a_package_without_companions_is_refused_with_the_cure(tmp_path: Path):
    package = plain_deb(tmp_path, "demo-server", "1.0.0-1")
    with pytest.raises(UsageError, match=r"has no .*\.cdx\.json beside it; build it again"):
        companions(package, sha256_of(package))


def beside(packages: Path, name: str, target: Path) -> Path:
    """A package with its companions, in a directory of its own."""
    for path in packages.glob(f"{name}*"):
        shutil.copy(path, target)
    return target / name


@pytest.mark.parametrize("tampered", ["", ".cdx.json"])
def test_a_statement_about_other_bytes_is_never_signed(
    packages: Path, tmp_path: Path, tampered: str
):
    package = beside(packages, "demo-server-1.0.0-1.noarch.rpm", tmp_path)
    with (tmp_path / f"{package.name}{tampered}").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(RefusedError, match="is not about"):
        companions(package, sha256_of(package))


def test_the_statement_of_another_package_is_never_signed(packages: Path, tmp_path: Path):
    package = beside(packages, "demo-server_1.0.0-1_all.deb", tmp_path)
    other = packages / "demo-server_1.1.0-1_all.deb.provenance.json"
    shutil.copy(other, tmp_path / f"{package.name}.provenance.json")
    with pytest.raises(RefusedError, match="is not about"):
        companions(package, sha256_of(package))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"subject": 1}', b"[" * 100_000])
def test_a_broken_statement_is_one_sentence(packages: Path, tmp_path: Path, content: bytes):
    package = beside(packages, "demo-server_1.0.0-1_all.deb", tmp_path)
    (tmp_path / f"{package.name}.provenance.json").write_bytes(content)
    with pytest.raises(UsageError, match="is none of Interlock"):
        companions(package, sha256_of(package))


@pytest.mark.parametrize(
    "statement",
    [b"", b"[]", b"{}", b'{"subject": []}', b'{"subject": [{"digest": 1}]}', b"[" * 100_000],
)
def test_what_is_no_statement_is_refused(statement: bytes):
    with pytest.raises(UsageError, match="is none of Interlock"):
        published_statement(statement, "demo-server_1.0.0-1_all.deb", "0" * 64)


def test_a_repository_is_proved_by_its_own_key(
    packages: Path, signing: Keys, key: str, interlock: Interlock, tmp_path: Path
):
    """What `interlock publish` leaves is what `interlock verify --provenance` wants."""
    arriving = [path for path in packages.iterdir() if path.name.endswith((".deb", ".rpm"))]
    secret = signing.export_secret(tmp_path / "secret.asc", key)
    place = ("--repository", "repository", "--channel", "stable", "--url", "https://demo.example")
    run = interlock("publish", "add", *sorted(arriving), *place, "--key-file", secret)
    assert run.returncode == 0, run.stderr
    keyring = tmp_path / "repository/keys/demo.asc"
    run = interlock("verify", "--provenance", tmp_path / "repository", "--keyring", keyring)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout
    assert run.stderr.startswith(f"{len(arriving)} packages: ")
    assert f"signed by {key}" in run.stderr
    assert "made by publishing" in run.stderr


def test_a_statement_about_unchanged_bytes_stays_as_it_is(packages: Path):
    package = packages / "demo-server_1.0.0-1_all.deb"
    statement = companions(package, sha256_of(package))[1].read_bytes()
    assert published_statement(statement, package.name, sha256_of(package)) == statement


def test_a_statement_about_changed_bytes_names_both(packages: Path, tmp_path: Path):
    package = packages / "demo-server-1.0.0-1.noarch.rpm"
    statement = companions(package, sha256_of(package))[1].read_bytes()
    signed = tmp_path / package.name
    signed.write_bytes(package.read_bytes() + b"signature")
    made = published_statement(statement, signed.name, sha256_of(signed))
    before, after = json.loads(statement), json.loads(made)
    assert after["subject"][0]["digest"] != before["subject"][0]["digest"]
    built = {"name": package.name, "digest": before["subject"][0]["digest"]}
    assert after["predicate"]["runDetails"]["byproducts"][0] == built
    assert after["predicate"]["buildDefinition"] == before["predicate"]["buildDefinition"]
