"""fpm's command lines in scripts, Makefiles and options files: words are split, nothing is run."""

from pathlib import Path

import pytest

from tests.unit.importer.test_configurations import only
from tests.unit.importer.test_folders import write
from toolchain.errors import UsageError
from toolchain.importer.configurations.read import read_configuration
from toolchain.importer.facts import Kind
from toolchain.model.release import Format

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
    assert [note.text for note in facts.notes] == [
        "--weird 1 was not taken",
        "shop is not there, so nothing of it was taken: build it first",
    ]


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


def test_every_call_makes_a_package_of_its_own(tmp_path: Path):
    """Those for both formats keep apart what they need; one of another kind is told."""
    text = (
        "for kind in deb; do\nfpm -s dir -t deb -n a -v 1 -d libpq5 x && \\\n"
        "  fpm -s dir -t rpm -n a -v 1 -d libpq x\n# fpm\n"
        "cd out && fpm -s gem -n b -v 1 x\n"
    )
    deb, rpm = read_configuration(write(tmp_path, {"build.sh": text}) / "build.sh", {})
    assert [(each.format, str(each.relations[0])) for each in (deb, rpm)] == [
        (Format.DEB, "Depends: libpq5"),
        (Format.RPM, "Depends: libpq"),
    ]
    assert [(note.where, note.decide) for note in deb.notes] == [(f"{tmp_path}/build.sh:5", True)]


MAKEFILE = """\
PREFIX = /usr
NAME := shop
VERSION ?= $(shell git describe)
TARGET = $(PREFIX)/bin/$(NAME)

deb rpm: build
\t@bundle exec fpm -s dir -t $@ -n $(NAME) -v $(VERSION) -p "$(shell pwd)/out.deb" \\
\t\t--description 'For $$5' shop=$(TARGET) made/=/usr/share/shop
"""


def test_a_makefile(tmp_path: Path):
    """A variable that a command fills has no value; what nobody needs of a command is no matter."""
    path = write(tmp_path, {"Makefile": MAKEFILE}) / "Makefile"
    with pytest.raises(UsageError, match=r"Makefile:7: .*\$\{VERSION\} .*--define VERSION=VALUE"):
        only(path)
    facts = only(path, VERSION="1.2.0")
    assert (facts.name, str(facts.version), facts.format) == ("shop", "1.2.0", None)
    assert facts.texts["description"] == "For $5"
    assert [each.path for each in facts.installed] == ["/usr/bin/shop"]
    (note,) = facts.notes
    assert "made/=/usr/share/shop is not there" in note.text


@pytest.mark.parametrize("version", ["`git describe --long`", "$(git describe $(pwd))", ""])
def test_a_version_that_a_run_would_tell_is_given(tmp_path: Path, version: str):
    option = f"--version {version}" if version else ""
    path = write(tmp_path, {"a.fpm": f"-s dir --name a {option}\nx=/usr/bin/x\n"}) / "a.fpm"
    with pytest.raises(UsageError, match="give it|--define version=VALUE") as refused:
        only(path)
    assert refused.value.cure == "give it: --define version=VALUE"
    assert str(only(path, version="2.0.0").version) == "2.0.0"


def test_a_variable_called_version_is_one_like_others(tmp_path: Path):
    text = "version=1.2.3\nfpm -n a -v $version~rc1 x=/usr/bin/x\n"
    assert only(write(tmp_path, {"build.sh": text}) / "build.sh").full_version == "1.2.3~rc1"


def test_a_unit_among_the_files_of_fpm_is_read(tmp_path: Path):
    unit = "/usr/lib/systemd/system/x.service"
    text = f"fpm -n a -v 1 x.service={unit} y.service=/lib/systemd/system/y.service\n"
    files = {"build.sh": text, "x.service": "[Service]\n"}
    assert only(write(tmp_path, files) / "build.sh").units == {unit: "[Service]\n"}


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
