"""A repository as its clients read it, checked to the last digest."""

import gzip
import hashlib
import xml.etree.ElementTree as ET
from pathlib import Path

from debian.deb822 import Packages, Release

_COMMON = "{http://linux.duke.edu/metadata/common}"
_REPO = "{http://linux.duke.edu/metadata/repo}"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def debs(repository: Path, channel: str = "stable") -> list[str]:
    """The debs that InRelease leads to; everything on the way exists and has its digest."""
    suite = repository / "deb/dists" / channel
    _, _, text = (suite / "InRelease").read_text().partition("\n\n")
    release = Release(text)
    found: dict[str, None] = {}
    for entry in release["SHA256"]:
        hashed = suite / Path(entry["name"]).parent / "by-hash/SHA256" / entry["sha256"]
        assert digest(hashed) == entry["sha256"]
        content = hashed.read_bytes()
        assert len(content) == int(entry["size"])
        if entry["name"].endswith(".gz"):
            content = gzip.decompress(content)
        for stanza in Packages.iter_paragraphs(content.decode(), use_apt_pkg=False):
            package = repository / "deb" / stanza["Filename"]
            assert digest(package) == stanza["SHA256"]
            found[package.name] = None
    return list(found)


def rpms(repository: Path, channel: str = "stable") -> list[str]:
    """The rpms that the mirror list leads to, checked in the same way."""
    url = (repository / f"rpm/{channel}.mirrors").read_text().strip()
    return _rpms(repository / url.partition("/demo/")[2])


def linked_rpms(repository: Path, channel: str = "stable") -> list[str]:
    """The rpms that a baseurl leads to."""
    return _rpms(repository / "rpm" / channel)


def _rpms(state: Path) -> list[str]:
    content = (state / "repodata/repomd.xml").read_bytes()
    signature = (state / "repodata/repomd.xml.asc").read_bytes()
    assert hashlib.sha256(content).hexdigest().encode() in signature
    found = []
    for data in ET.fromstring(content).iter(f"{_REPO}data"):  # noqa: S314
        location = data.find(f"{_REPO}location")
        checksum = data.findtext(f"{_REPO}checksum")
        assert location is not None
        path = state / location.attrib["href"]
        assert digest(path) == checksum
        if data.attrib["type"] == "primary":
            for package in ET.fromstring(gzip.decompress(path.read_bytes())):  # noqa: S314
                place = package.find(f"{_COMMON}location")
                assert place is not None
                rpm = state / place.attrib["href"]
                assert digest(rpm) == package.findtext(f"{_COMMON}checksum")
                found.append(rpm.name)
    return found


def contents(repository: Path) -> dict[str, str]:
    """Every file below, but for the publisher's own, with its digest."""
    return {
        str(path.relative_to(repository)): digest(path)
        for path in sorted(repository.rglob("*"))
        if path.is_file() and ".interlock" not in path.parts
    }
