"""The yum index, read back by createrepo_c's own parser."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import createrepo_c
import pytest

from tests.unit.publish.rpms import ODD_AUTHOR, ODD_FILE, ODD_SUMMARY, rpm
from toolchain.errors import UsageError
from toolchain.publish.fragments import Fragments, read_fragments
from toolchain.publish.yum import repodata

MANY = 2000


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Small ones on both sides of two large ones."""
    directory = tmp_path_factory.mktemp("rpms")
    large = (rpm(directory, "acme-many", version, files=MANY) for version in ("1.0.0", "1.1.0"))
    small = (rpm(directory, name) for name in ("acme-database", "acme-server"))
    return (*large, *small)


@pytest.fixture(scope="module")
def fragments(rpms: tuple[Path, ...]) -> tuple[Fragments, ...]:
    return tuple(read_fragments(path) for path in rpms)


def index(fragments: tuple[Fragments, ...]) -> Mapping[str, bytes]:
    return repodata(fragments, serial=1_790_000_000, valid_until=1_791_209_600)


def written(files: Mapping[str, bytes], directory: Path) -> Path:
    (directory / "repodata").mkdir(parents=True)
    for name, content in files.items():
        (directory / "repodata" / name).write_bytes(content)
    return directory


def parsed(directory: Path) -> dict[str, Any]:
    reader = createrepo_c.RepositoryReader.from_path(str(directory))
    packages, warnings = reader.parse_packages()
    assert not warnings
    return {package.location_href: package for package in packages.values()}


def records(files: Mapping[str, bytes], tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "repomd.xml"
    path.write_bytes(files["repomd.xml"])
    return {record.type: record for record in createrepo_c.Repomd(str(path)).records}


def test_a_parser_gets_back_what_each_rpm_says(
    rpms: tuple[Path, ...], fragments: tuple[Fragments, ...], tmp_path: Path
):
    found = parsed(written(index(fragments), tmp_path))
    assert sorted(found) == sorted(f"packages/{path.name}" for path in rpms)
    for path in rpms:
        package, own = found[f"packages/{path.name}"], createrepo_c.package_from_rpm(str(path))
        assert package.nevra() == own.nevra()
        for field in ("pkgId", "summary", "description", "size_package", "conflicts", "provides"):
            assert getattr(package, field) == getattr(own, field)
        assert {entry[1:3] for entry in package.files} == {entry[1:3] for entry in own.files}
        assert [entry[:3] for entry in package.changelogs] == [
            entry[:3] for entry in own.changelogs
        ]


def test_characters_that_xml_reserves_survive(fragments: tuple[Fragments, ...], tmp_path: Path):
    package = parsed(written(index(fragments), tmp_path))["packages/acme-server-1.0.0.rpm"]
    assert package.summary == ODD_SUMMARY
    assert package.description == "Text with <tags> & ampersands, and ü."
    assert ODD_FILE in {f"{folder}{name}" for _, folder, name, *_ in package.files}
    assert [author.rpartition(" - ")[0] for author, *_ in package.changelogs] == [ODD_AUTHOR] * 2


def test_repomd_names_what_lies_there(fragments: tuple[Fragments, ...], tmp_path: Path):
    files = index(fragments)
    found = records(files, tmp_path)
    assert sorted(found) == ["filelists", "other", "primary"]
    for kind, record in found.items():
        content = files[record.location_href.removeprefix("repodata/")]
        unpacked = gzip.decompress(content)
        assert record.location_href.endswith(f"/{record.checksum}-{kind}.xml.gz")
        assert record.checksum == hashlib.sha256(content).hexdigest()
        assert record.checksum_open == hashlib.sha256(unpacked).hexdigest()
        assert (record.size, record.size_open) == (len(content), len(unpacked))
    assert len(files) == 4


def test_repomd_carries_serial_and_validity(fragments: tuple[Fragments, ...], tmp_path: Path):
    path = tmp_path / "repomd.xml"
    path.write_bytes(index(fragments)["repomd.xml"])
    repomd = createrepo_c.Repomd(str(path))
    assert repomd.revision == "1790000000"
    assert repomd.content_tags == ["valid-until=1791209600"]


def test_a_large_package_is_never_packed_again(fragments: tuple[Fragments, ...]):
    files = index(fragments)
    (filelists,) = (content for name, content in files.items() if "filelists" in name)
    large = [one.filelists.member for one in fragments if "many" in one.href]
    assert all(member in filelists for member in large)
    assert members(filelists) == 4  # the head with the first small one, two large ones, the rest


def test_small_packages_share_what_is_alike(tmp_path: Path):
    path = rpm(tmp_path)
    one = read_fragments(path)
    alike = tuple(
        Fragments(
            href=f"packages/{at}", primary=one.primary, filelists=one.filelists, other=one.other
        )
        for at in range(50)
    )
    (primary,) = (content for name, content in index(alike).items() if "primary" in name)
    assert members(primary) == 1
    assert len(primary) < 5 * len(one.primary.member)


def members(content: bytes) -> int:
    count = 0
    while content:
        reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        reader.decompress(content)
        assert reader.eof
        content, count = reader.unused_data, count + 1
    return count


def test_the_same_packages_make_the_same_bytes(
    rpms: tuple[Path, ...], fragments: tuple[Fragments, ...], tmp_path: Path
):
    """Whatever their order, the age of the files and where they lie."""
    copies = []
    for number, path in enumerate(rpms):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (number, number))
        copies.append(read_fragments(copy))
    assert index(tuple(reversed(copies))) == index(fragments)


def test_an_empty_index_is_a_valid_one(tmp_path: Path):
    assert parsed(written(index(()), tmp_path)) == {}


def test_stored_fragments_come_back(fragments: tuple[Fragments, ...]):
    assert tuple(Fragments.parse(one.stored()) for one in fragments) == fragments


@pytest.mark.parametrize("damage", [lambda it: it[:-1], lambda it: it + b"x", lambda it: it[5:]])
def test_damaged_fragments_are_refused(fragments: tuple[Fragments, ...], damage: Any):
    with pytest.raises(ValueError, match="no stored part"):
        Fragments.parse(damage(fragments[0].stored()))


@pytest.mark.parametrize("content", [b"", b"no rpm at all", bytes(200)])
def test_what_is_no_rpm_is_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "acme.rpm"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as an rpm"):
        read_fragments(path)


def test_a_missing_rpm_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"acme\.rpm cannot be read"):
        read_fragments(tmp_path / "acme.rpm")
