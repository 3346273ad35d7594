"""nfpm, fpm, debian/ and rpm specs: read as text, nothing run, nothing from outside."""

import re
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


FPM = """\
#!/bin/sh
VERSION=4.2.0
fpm -s dir -t deb -n shop -v "$VERSION" -aall --license=MIT \\
  -m 'Shop <s@example.com>' -d 'libc6 >= 2.30' --config-files /etc/shop.ini --deb-systemd shop \\
  --weird 1 bin/shop=/usr/bin/shop shop.ini=/etc/shop.ini && echo done
"""


def test_fpm(tmp_path: Path):
    facts = only(write(tmp_path, {"build.sh": FPM}) / "build.sh")
    assert (facts.name, str(facts.version), facts.architecture) == ("shop", "4.2.0", "all")
    assert [(each.path, each.kind, each.source) for each in facts.installed] == [
        ("/usr/bin/shop", Kind.FILE, "bin/shop"),
        ("/etc/shop.ini", Kind.CONFIG, "shop.ini"),
    ]
    assert [str(relation) for relation in facts.relations] == ["Depends: libc6 >= 2.30"]
    assert [note.text for note in facts.notes] == ["--weird 1 was not taken"]


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ("etc/=/etc/shop", ["/etc/shop/a.ini"]),
        ("etc=/srv/", ["/srv/etc/a.ini"]),
        ("etc", ["/etc/a.ini"]),
        ("-C etc .", ["/a.ini"]),
        ("--prefix /opt/shop etc/a.ini=/", ["/opt/shop/a.ini"]),
        ("etc/a.ini=/etc/b.ini", ["/etc/b.ini"]),
    ],
)
def test_fpm_copies_as_rsync_does(tmp_path: Path, arguments: str, paths: list[str]):
    text = f"bundle exec fpm -n a -v 1 {arguments}\n"
    facts = only(write(tmp_path, {"etc/a.ini": "", "build.sh": text}) / "build.sh")
    assert [each.path for each in facts.installed] == paths
    assert not facts.notes


def test_a_second_call_of_fpm_is_told_with_its_line(tmp_path: Path):
    text = "fpm -n a \\\n  -v 1 x\n# fpm\nfpm -n b -v 1 x\n"
    facts = only(write(tmp_path, {"build.sh": text}) / "build.sh")
    assert facts.name == "a"
    assert [note.where for note in facts.notes] == [str(tmp_path / "build.sh:4")]


def test_an_options_file_of_fpm(tmp_path: Path):
    text = "--name shop\n--version 1.0.0 # odd\n-s dir\nbin/shop=/usr/bin/shop\n"
    assert only(write(tmp_path, {"shop.fpm": text}) / "shop.fpm").name == "shop"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fpm -n a -v $(touch canary)\n", ":1: .* is not run"),
        ("\nfpm -n a -v `touch canary`\n", ":2: .* is not run"),
        ("fpm -n a -v $NOPE x\n", r"\$NOPE has no value"),
        ("fpm -n a -v 1 'x\n", "no whole"),
        ("fpm -s gem -n a -v 1 x\n", "gem is no directory"),
        ("fpm -n a -v\n", "--version has no value"),
        ("fpm -v 1 x\n", "given no --name"),
        ("fpm -n a -v 1 /etc/shadow=/x\n", "leads out"),
        ("make\n", "no command line of fpm"),
    ],
)
def test_fpm_that_is_refused(tmp_path: Path, monkeypatch, text: str, says: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says):
        only(write(tmp_path, {"build.sh": text}) / "build.sh")
    assert not (tmp_path / "canary").exists()


SPEC = """\
%define name shop-server
%global version 4.1.0
%global evil %(touch CANARY)
Name: %{name}
Version: %{version}
Summary: The shop
License: MIT
BuildArch: noarch
Requires: postgresql-libs >= 12, shop-database < 5.0.0
Requires: %{lua:os.execute("touch CANARY")}
Requires: perl(DBI)
%if 0%{?rhel}
%endif
%description
The %{name}.

%package -n shop-database
Summary: Its database
Conflicts: shop-server < 4.0.0

%post
useradd shop

%files -f made
%{_bindir}/shop %{_sbindir}/shopd
%doc README
%config(noreplace) %attr(0640,root,shop) %{_sysconfdir}/shop.ini
%dir %{_sharedstatedir}/shop
/usr/share/%{?unknown}x/*
%files -n shop-database
/usr/share/shop-database/1.sql

%changelog
* Mon May  4 2026 Shop <s@example.com> - 4.1.0-1
- new
"""


def test_an_rpm_spec(tmp_path: Path):
    canary = tmp_path / "canary"
    write(tmp_path, {"shop.spec": SPEC.replace("CANARY", str(canary))})
    server, database = read_configuration(tmp_path / "shop.spec", {})
    assert not canary.exists()
    assert (server.name, database.name) == ("shop-server", "shop-database")
    assert (str(server.version), str(server.day), server.architecture) == (
        "4.1.0",
        "2026-05-04",
        "noarch",
    )
    assert [(each.path, each.kind, each.mode, each.group) for each in server.installed] == [
        ("/usr/bin/shop", Kind.FILE, None, "root"),
        ("/usr/sbin/shopd", Kind.FILE, None, "root"),
        ("/etc/shop.ini", Kind.CONFIG, 0o640, "shop"),
        ("/var/lib/shop", Kind.DIRECTORY, None, "root"),
    ]
    assert [str(relation) for relation in server.relations] == [
        "Requires: postgresql-libs >= 12",
        "Requires: shop-database < 5.0.0",
    ]
    assert [str(relation) for relation in database.relations] == ["Conflicts: shop-server < 4.0.0"]
    assert server.scripts == {"%post": "useradd shop\n"}
    assert server.texts["description"] == "The shop-server."


def test_what_only_a_build_knows_of_a_spec_is_told_with_its_line(tmp_path: Path):
    server, _ = read_configuration(write(tmp_path, {"shop.spec": SPEC}) / "shop.spec", {})
    lines = SPEC.splitlines()
    assert [lines[int(re.sub(r".*:", "", note.where)) - 1] for note in server.notes] == [
        "%global evil %(touch CANARY)",
        'Requires: %{lua:os.execute("touch CANARY")}',
        "Requires: perl(DBI)",
        "%if 0%{?rhel}",
        "%files -f made",
        "/usr/share/%{?unknown}x/*",
    ]
    assert all(note.decide for note in server.notes)


def test_a_spec_whose_version_is_a_program_is_asked(tmp_path: Path):
    write(tmp_path, {"a.spec": "Name: a\nVersion: %(echo 1)\n%files\n"})
    with pytest.raises(UsageError, match="--define version=X"):
        read_configuration(tmp_path / "a.spec", {})
    (facts,) = read_configuration(tmp_path / "a.spec", {"version": "1.0.0"})
    assert str(facts.version) == "1.0.0"


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
