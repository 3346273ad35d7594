"""rpm specs, read as text: conditions are weighed where they can be, and no macro runs."""

import re
from pathlib import Path

import pytest

from tests.unit.importer.test_configurations import only
from tests.unit.importer.test_folders import write
from toolchain.errors import UsageError
from toolchain.importer.configurations.read import read_configuration
from toolchain.importer.facts import Kind

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


def spec(folder: Path, text: str) -> Path:
    return write(folder, {"a.spec": f"Name: a\nVersion: 1.0.0\n{text}"}) / "a.spec"


@pytest.mark.parametrize(
    ("condition", "values", "taken"),
    [
        ("%if 0%{?rhel} >= 8", {"rhel": "9"}, "yes"),
        ("%if 0%{?rhel} >= 8", {"rhel": "7"}, "no"),
        ("%if 0%{?rhel} >= 8", {}, "yes no"),
        ("%if 0%{?rhel} && ! ( %{rhel} <= 7 || 0%{?fedora} )", {"rhel": "9", "fedora": ""}, "yes"),
        ('%if "%{name}" == "b"', {}, "no"),
        ('%if "%{name}" == 1', {}, "yes no"),
        ("%if %{with odd}", {}, "no"),
        ("%if %{with usual}", {}, "yes"),
        ("%if %{with odd}", {"with_odd": "1"}, "yes"),
        ("%if %{without usual}", {"without_usual": "1"}, "yes"),
        ("%if %{with nobody}", {}, "yes no"),
        ("%ifarch x86_64", {}, "yes no"),
        ("%if 0\n%elif 1", {}, "yes"),
        ("%if 1\nRequires: yes\n%elif 1", {}, "yes"),
        ("%if 2 > %{lua:print(1)}", {}, "yes no"),
    ],
)
def test_a_condition_is_weighed_where_it_can_be(tmp_path: Path, condition, values, taken: str):
    options = "%bcond_with odd\n%bcond_without usual\n"
    text = f"{options}{condition}\nRequires: yes\n%else\nRequires: no\n%endif\n%files\n"
    facts = only(spec(tmp_path, text), **values)
    found = dict.fromkeys(relation.clauses[0].name for relation in facts.relations)
    assert " ".join(found) == taken
    assert bool(facts.notes) == (taken == "yes no")


def test_an_undecided_condition_asks_for_what_it_lacks(tmp_path: Path):
    text = "%if 0%{?rhel} > %{least}\n%endif\n%files\n%post\n%if 0%{?rhel}\na\n%endif\n"
    facts = only(spec(tmp_path, text))
    (note,) = facts.notes
    assert note.where.endswith("a.spec:3")
    assert "--define rhel=VALUE --define least=VALUE" in note.text
    assert facts.scripts["%post"] == "%if 0%{?rhel}\na\n%endif"


def test_a_branch_that_does_not_count_holds_whole_sections(tmp_path: Path):
    text = (
        "%if 0\n%global b 1\n%if 0%{?x}\n%endif\n%package devel\n%files devel\n/usr/x\n%endif\n"
        "%files\n/usr/bin/a\n%post\n%if 1\nyes\n%else\nno\n%endif\n"
    )
    facts = only(spec(tmp_path, text))
    assert [each.path for each in facts.installed] == ["/usr/bin/a"]
    assert facts.scripts == {"%post": "yes"}
    assert not facts.notes


def test_files_have_what_defattr_says(tmp_path: Path):
    text = (
        "%files\n%defattr(640,shop,shop,-)\n/etc/a\n%attr(-,root,-) /etc//b\n"
        "%defattr(-,root,root)\n/etc/c\n"
    )
    found = only(spec(tmp_path, text)).installed
    assert [(each.path, each.mode, each.owner, each.group) for each in found] == [
        ("/etc/a", 0o640, "shop", "shop"),
        ("/etc/b", 0o640, "root", "shop"),
        ("/etc/c", None, "root", "root"),
    ]


@pytest.mark.parametrize("place", ["a.service", "../SOURCES/a.service"])
def test_a_unit_beside_a_spec_is_read(tmp_path: Path, place: str):
    path = spec(tmp_path / "SPECS", "%files\n%{_unitdir}/a.service\n%{_unitdir}/b.service\n")
    write(tmp_path / "SPECS", {place: "[Service]\n"})
    assert only(path).units == {"/usr/lib/systemd/system/a.service": "[Service]\n"}


def test_only_what_is_taken_is_told(tmp_path: Path):
    """A build root that a program names is the build's, and no package has it."""
    text = "BuildRoot: %(mktemp -d)\nBuildRequires: %(echo x)\nSource0: %(y)\n%files\n"
    assert not only(spec(tmp_path, text)).notes
