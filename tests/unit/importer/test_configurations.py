"""nfpm, debian/ and trees with DEBIAN/control: read as text, nothing run, nothing from outside."""

from pathlib import Path

import pytest

from tests.unit.importer.test_folders import write
from toolchain.errors import UsageError
from toolchain.importer.configurations.read import read_configuration
from toolchain.importer.facts import Facts, Kind

NFPM = """\
name: shop-server
version: ${VERSION}
prerelease: rc1
arch: amd64
maintainer: Shop <s@example.com>
description: |
  The shop.
  It sells.
depends: ["python3 (>= 3.9)"]
overrides: {rpm: {depends: [python3]}}
contents:
  - {src: bin/*, dst: /usr/bin/}
  - {src: share, dst: /usr/share/shop, type: tree}
  - {src: shop.ini, dst: /etc/shop.ini, type: config|noreplace, file_info: {mode: 0640}}
  - {dst: /var/lib/shop, type: dir}
  - {src: shop.apk, dst: /usr/share/shop/apk, packager: apk}
  - {src: shop.rpm, dst: /usr/share/shop/rpm, packager: rpm}
scripts: {postinstall: post.sh}
odd: 1
"""


def only(path: Path, **values: str) -> Facts:
    (facts,) = read_configuration(path, values)
    return facts


def test_nfpm(tmp_path: Path):
    files = {"bin/a": "", "bin/b": "", "share/x/y": "", "post.sh": "useradd shop\n"}
    write(tmp_path, {"nfpm.yaml": NFPM, **files})
    facts = only(tmp_path / "nfpm.yaml", VERSION="1.2.0")
    assert (str(facts.version), facts.texts["summary"]) == ("1.2.0-rc1", "The shop.")
    assert [(each.path, each.kind, each.mode) for each in facts.installed] == [
        ("/usr/bin/a", Kind.FILE, None),
        ("/usr/bin/b", Kind.FILE, None),
        ("/usr/share/shop/x/y", Kind.FILE, None),
        ("/etc/shop.ini", Kind.CONFIG, 0o640),
        ("/var/lib/shop", Kind.DIRECTORY, None),
        ("/usr/share/shop/rpm", Kind.FILE, None),
    ]
    assert facts.scripts == {"postinstall": "useradd shop\n"}
    assert {note.text.partition(" ")[0] for note in facts.notes} == {"odd", "what", "this"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NFPM, r"nfpm\.yaml:2: the variable \$\{VERSION\} has no value"),
        ("name: a\nname: b\n", r"nfpm\.yaml:2:1: "),
        ("a: &x [*x]\n", r"nfpm\.yaml:1:4: "),
        ("name: a\nversion: '1'\ncontents: [{src: ../x, dst: /x}]\n", "leads out"),
        ("name: a\nversion: '1'\ncontents: [{src: /etc/shadow, dst: /x}]\n", "leads out"),
        ("name: a\nversion: '1'\ndepends: ['a b c']\n", "is no relation"),
        ("[]\n", "no mapping"),
    ],
)
def test_nfpm_that_is_refused(tmp_path: Path, text: str, says: str):
    with pytest.raises(UsageError, match=says):
        only(write(tmp_path, {"nfpm.yaml": text}) / "nfpm.yaml")


def test_a_debian_directory(tmp_path: Path):
    write(
        tmp_path,
        {
            "debian/control": (
                "Source: shop\nMaintainer: Shop <s@example.com>\n\n"
                "Package: shop-server\nArchitecture: all\nDepends: ${misc:Depends}, python3\n"
                "Description: The shop\n It sells.\n .\n Much.\n\n"
                "Package: shop-database\nArchitecture: all\n"
                "Conflicts: shop-server (<< ${source:Version})\nDescription: Data\n"
            ),
            "debian/changelog": (
                "shop (4.1.0-1) stable; urgency=medium\n\n  * x\n\n"
                " -- Shop <s@example.com>  Mon, 04 May 2026 23:00:00 -0200\n"
            ),
            "debian/shop-server.install": "bin/shop usr/bin\nshop.ini etc/shop\n",
            "debian/shop-server.service": "[Service]\nExecStart=/usr/bin/shop\n",
        },
    )
    server, database = read_configuration(tmp_path, {})
    assert (str(server.version), str(server.day)) == ("4.1.0", "2026-05-05")
    assert server.texts["description"] == "It sells.\n\nMuch."
    assert [(each.path, each.kind) for each in server.installed] == [
        ("/usr/bin/shop", Kind.FILE),
        ("/etc/shop/shop.ini", Kind.CONFIG),
    ]
    assert list(server.units) == ["/usr/lib/systemd/system/shop-server.service"]
    assert [str(each) for each in server.relations] == ["Depends: python3"]
    assert [str(each) for each in database.relations] == ["Conflicts: shop-server < 4.1.0-1"]


def tree(folder: Path, version: str = "1.2.0-1") -> Path:
    """A package that `dpkg-deb --build` would make of a folder."""
    files = {
        "DEBIAN/control": f"Package: shop-server\nVersion: {version}\nArchitecture: all\n"
        "Depends: python3\nDescription: Sells\n It sells.\n",
        "DEBIAN/conffiles": "/etc/shop.ini\n",
        "DEBIAN/postinst": "useradd shop\n",
        "etc/shop.ini": "",
        "usr/bin/shop": "",
        "lib/systemd/system/shop.service": "[Service]\nExecStart=/usr/bin/shop\n",
    }
    return write(folder, files)


def test_a_tree_with_its_control_by_hand(tmp_path: Path):
    facts = only(tree(tmp_path))
    assert (facts.name, str(facts.version)) == ("shop-server", "1.2.0")
    assert [each.path for each in facts.installed if each.kind is Kind.FILE] == [
        "/lib/systemd/system/shop.service",
        "/usr/bin/shop",
    ]
    assert [each.path for each in facts.installed if each.kind is Kind.CONFIG] == ["/etc/shop.ini"]
    assert list(facts.units) == ["/lib/systemd/system/shop.service"]
    assert facts.scripts == {"postinst": "useradd shop\n"}
    assert facts.texts["summary"] == "Sells"
    assert only(tmp_path / "DEBIAN") == only(tmp_path / "DEBIAN/control") == facts


def test_a_tree_whose_version_a_build_writes_is_asked(tmp_path: Path):
    tree(tmp_path, "${project.version}")
    with pytest.raises(UsageError, match="--define version=X"):
        only(tmp_path)
    assert str(only(tmp_path, version="1.3.0").version) == "1.3.0"
    assert str(only(tmp_path, **{"project.version": "1.4.0"}).version) == "1.4.0"


def test_links_of_a_tree_are_not_followed(tmp_path: Path):
    write(tmp_path, {"secret": "x"})
    shop = tree(tmp_path / "shop")
    (shop / "usr/bin/other").symlink_to(tmp_path / "secret")
    (shop / "usr/all").symlink_to(tmp_path)
    kinds = {each.path: each.kind for each in only(shop).installed}
    assert kinds["/usr/bin/other"] is kinds["/usr/all"] is Kind.LINK
    assert not [path for path in kinds if path.startswith("/usr/all/")]
