"""Single values: each grammar's refusals with their cure (hazards 1, 6, 9, 10, 11, 12, 14, 24)."""

from pathlib import Path

import pytest

from tests.unit.spec.sample import changed, expect_one
from toolchain.spec.problem import Complaint
from toolchain.spec.shape.plain import Plain
from toolchain.spec.values import lines, names, packages, paths, targets, versions
from toolchain.spec.values.names import Check

VERSIONS = {
    "1.10": "write 1.10.0",
    "4.1": "write 4.1.0",
    "4": "write 4.0.0",
    "v4.1.0": "write 4.1.0 ",
    "fleetdesk-4.1.0": "write 4.1.0 ",
    "1:4.1.0": "write 4.1.0 ",
    "4.01.0": "write 4.1.0 ",
    "4.1.0-rc.1": "write 4.1.0-rc1",
    "4.1.0rc1": "write 4.1.0-rc1",
    "4.1.0.rc1": "write 4.1.0-rc1",
    "4.1.0~rc1": "write 4.1.0-rc1",
    "4.1.0_rc1": "write 4.1.0-rc1",
    "4.1.0-RC1": "write 4.1.0-rc1",
    "4.1.0-beta": "write 4.1.0-beta1",
    "4.1.0-2": "'revision: 2'",
    "1.2.0-5-gabc1234": "'git describe' counts commits",
    "v1.2.0-rc1-5-gabc1234-dirty": "'git describe' counts commits",
    "4.1.0.0": "write X.Y.Z or X.Y.Z-preN",
    "4.1.0-rc.5-preview.2": "write X.Y.Z or X.Y.Z-preN",
    "4.1.0+build5": "write X.Y.Z or X.Y.Z-preN",
    "four": "write X.Y.Z or X.Y.Z-preN",
    "٤.١.٠": "write X.Y.Z or X.Y.Z-preN",
    "9999999999.0.0": "write X.Y.Z or X.Y.Z-preN",
    "1." * 500_000: "write X.Y.Z or X.Y.Z-preN",
    "4.1.0\n": "write X.Y.Z or X.Y.Z-preN",
}


@pytest.mark.parametrize("text", VERSIONS, ids=lambda text: text[:30])
def test_versions(text: str) -> None:
    with pytest.raises(Complaint) as caught:
        versions.version(text)
    assert VERSIONS[text] in caught.value.cure
    assert len(caught.value.message) < 120


@pytest.mark.parametrize("text", ["4.1.0", "0.0.1", "4.1.0-rc1", "4.10.0-alpha12", "999999999.0.0"])
def test_versions_within_the_grammar(text: str) -> None:
    versions.version(text)


WINDOWS = {
    "4.0.0": "write '>= 4.0.0'",
    "> 4.0.0": "no form that every package",
    "<= 4.0.0": "no form that every package",
    "= 4.0.0": "write '>= 4.0.0'",
    "< 5.0.0": "write '>= 4.0.0'",
    ">= 4.0.0, >= 5.0.0": "write '>= 4.0.0'",
    ">= 4.0": "write 4.0.0",
    ">= v4.0.0": "write 4.0.0",
    ">= 4.0.0, < 5": "write 5.0.0",
    ">= 4.0.0, < 4.0.0": "raise its ceiling",
    ">= 4.0.0 || < 3.0.0": "write '>= 4.0.0'",
    "": "write '>= 4.0.0'",
}


@pytest.mark.parametrize("text", WINDOWS)
def test_windows_of_versions(text: str) -> None:
    with pytest.raises(Complaint) as caught:
        versions.releases(text)
    assert WINDOWS[text] in caught.value.cure


@pytest.mark.parametrize(
    "text", ["11", ">= 11.0", ">= -1", "> 11", ">= 11, < 11", ">= 0x0B", ">= ١"]
)
def test_windows_of_schemas(text: str) -> None:
    with pytest.raises(Complaint):
        versions.schemas(text)


REFUSED: dict[str, tuple[Check, tuple[str, ...]]] = {
    "line": (lines.line, ("", " ", "a\nPre-Depends: evil", "a\tb")),
    "value": (lines.value, ("a\nb", "a\tb")),
    "text": (
        lines.paragraphs,
        ("", "\n", "a\tb", "%post\nrm -rf /", "a\n%if 0", "a\n\n  %files\nb", "%%triggerin", "%"),
    ),
    "unit line": (lines.unit_line, ("a\\", "a\\\\", "a\\ ", "a\nb", "")),
    "summary": (lines.summary, ("Ends with a dot.", "two\nlines", "", "a\\")),
    "maintainer": (
        lines.maintainer,
        ("Name", "Name mail@x", "<a@b>", "Name <a>", "Name <a@b> x", "A <a@b>\nConflicts: x <c@d>",
         "Name <a @b>", "N <a@b>, M <c@d>", " <a@b>"),
    ),
    "homepage": (lines.homepage, ("example.com", "ftp://x", "https://", "https://a b", "https://a\n")),
    "licence": (lines.licence, ("", "MIT\nX: y", "MIT; rm", "%{lua:x}")),
    "user description": (lines.user_description, ("a:b", 'a"b', "a\nb", "a\\b", "")),
    "product": (
        names.product,
        ("a", "1a", "A", "fleet_desk", "fleet-", "a" * 42, "a b", "a\n", "a;b", "a'b", "größe", "a.b"),
    ),
    "change": (names.change, ("", "A", "a_b", "a--b", "-a", "a-", "a.b", "a b", "a" * 64, "a\n", "a;")),
    "user": (names.user, ("root", "nobody", "A", "1a", "a" * 32, "a b", "a:b", "", "a\n")),
    "service": (names.service, ("", "a b", "a/b", "web.service", "-a", "a@b", "a\n", "%n")),
    "unit": (names.unit, ("network-online", "a b.target", "a.target\nX=y", "")),
    "variable": (names.variable, ("label", "1A", "A-B", "", "A\n")),
    "environment": (names.environment, ("1A", "A-B", "A=B", "", "A\n", "A B")),
    "distribution": (names.distribution, ("Debian", "debian 12", "", "debian-12\n", "../x")),
    "column": (names.column, ("", "1a", "a b", 'a"b', "a'b", "a;b", "a\n", "a.b", "a" * 64, "ä" * 32)),
    "table": (names.table, ("", "a.b.c", 'a"; DROP TABLE x', "a.", ".b", "a b", "a\n", "a." + "ä" * 32)),
    "product path": (
        paths.inside_product,
        ("", "/etc/passwd", "../x", "a/../b", "a/..", "./a", "a//b", "a/", ".", "a\nb", "a\tb",
         "x" * 2000, "y" * 256, "a/" * 300_000),
    ),
    "manual": (paths.manual, ("man/web", "man/web.gz", "web.1.gz", ".1", "web.", "web.x", "a/")),
    "home": (paths.home, ("var/lib/a", "/", "/root", "/home/a", "/var/lib/a:b", "/var/lib/../x",
             "/var/lib/a b", "/var/lib/%n", "/var/lib/größe")),
    "state": (paths.state, ("/", "/etc/a", "/usr/lib/a", "/var/lib", "/var/lib/", "a", "/tmp/a",
              "/var/lib/a b", "/var/lib/%n", "/var/lib/a\\b", "/var/lib/größe", "/var/lib/a:b",
              '/var/lib/"a"', "/var/lib/a*")),
    "program": (
        targets.program,
        ("usr/bin/a", "/usr/bin", "/usr/bin/", "/usr/bin/../a", "/usr//bin/a", "/bin/a", "/sbin/a",
         "/lib64/a", "/usr/local/bin/a", "/etc/a", "/home/a/a", "/root/a", "/tmp/a", "/run/a",
         "/dev/a", "/proc/a", "/sys/a", "/boot/a", "/var/lib/a", "/srv/a", "/a", "/",
         "/usr/share/a", "/usr/bin/a\nb", "/usr/bin/a'b", "/usr/bin/a$b", "/usr/bin/a\\b"),
    ),
    "file": (targets.file, ("/etc/a/b", "/usr/share", "/usr/local/a", "/usr/games/a", "/mnt/a")),
    "config": (
        targets.config,
        ("/usr/lib/a", "/etc", "/etc/passwd", "/etc/shadow", "/etc/sudoers", "/etc/sudoers.d/a",
         "/etc/ssh/sshd_config", "/etc/ld.so.preload", "/etc/pam.d/login", "/etc/apt/sources.list",
         "/etc/a/../passwd", "/etc//passwd", "etc/a"),
    ),
    "deb relation": (
        packages.deb_relation,
        ("", "Python3", "a b", "python3 (>= 3)", "python3 > = 3", "python3 >> 3", "python3 >= ",
         "python3 >= x", "python3>=3", "a | b", "a, b", "python3\nPre-Depends: x", "python3 >= 3\n",
         "python3 != 3", "${misc:Depends}", "a:any"),
    ),
    "rpm relation": (
        packages.rpm_relation,
        ("", "a b", "(a or b)", "a, b", "a\nb", "%{lua:x}", "a >= 1 b", "a >= %{x}", "-a"),
    ),
    "compression": (
        packages.compression,
        ("", "bzip2", "zstd:", "zstd:20", "xz:10", "gzip:0", "none:1", "zstd:3:4", "zstd: 3", "ZSTD",
         "zstd:-1", "zstd:٣"),
    ),
    "mode": (packages.mode, ("", "rw", "0888", "888", "00644", "0o644", "0666", "0777", "0002", "٠644")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("grammar", "text"),
    [(grammar, text) for grammar, (_, texts) in REFUSED.items() for text in texts],
    ids=lambda value: value[:30] or "(empty)",
)
def test_refused(grammar: str, text: str) -> None:
    check, _ = REFUSED[grammar]
    with pytest.raises(Complaint) as caught:
        check(text)
    assert caught.value.cure
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


ACCEPTED: dict[str, tuple[Check, tuple[str, ...]]] = {
    "line": (lines.line, ("50% off", "{{ x }}", "a; b", "größe", "'quoted'")),
    "value": (lines.value, ("", "-x", "a b", '"', "%d", "$HOME", "{{ lookup('pipe', 'id') }}")),
    "text": (lines.paragraphs, ("a\n\nb\n", "is %post\n50 %", "  indented")),
    "unit line": (lines.unit_line, ("50% off", "a\\b", "größe")),
    "maintainer": (lines.maintainer, ("A <a@b>", "Acme, Inc. <rel@acme.example>", "Ö <o@x.org>")),
    "homepage": (lines.homepage, ("https://a", "http://a.b/c?d=e#f")),
    "licence": (lines.licence, ("MIT", "GPL-2.0-or-later WITH Classpath-exception-2.0", "(A OR B)")),
    "product": (names.product, ("fleetdesk", "a1", "a-b-c", "a" * 41)),
    "table": (names.table, ("host", "public.host", "Größe", "a$1", "_x")),
    "unit": (names.unit, ("network-online.target", "postgresql@15-main.service")),
    "product path": (
        paths.inside_product,
        ("a", "a/b", "a b", "0000-[", "x*", "%d", "-rf", "#x", "größe", "...", "..a", "a'b\"", "a\\b"),
    ),
    "manual": (paths.manual, ("man/web.1", "web.8", "web.3pm", "a.b.5")),
    "home": (paths.home, ("/var/lib/a", "/nonexistent", "/srv/a")),
    "state": (paths.state, ("/var/lib/a", "/run/A_b-c.d/e", "/var/opt/a")),
    "program": (targets.program, ("/usr/bin/a", "/usr/sbin/a", "/opt/a/b", "/usr/libexec/a b")),
    "file": (targets.file, ("/usr/lib/a", "/usr/share/a/b*", "/opt/a")),
    "config": (targets.config, ("/etc/a/b.toml", "/etc/default/a", "/etc/a.conf")),
    "deb relation": (packages.deb_relation, ("python3", "libc6 >= 2.36-9~bpo", "g++", "a2 = 1:2.0")),
    "rpm relation": (
        packages.rpm_relation,
        ("python3", "/bin/sh", "python3dist(psycopg2) >= 2.9", "libc.so.6()(64bit)"),
    ),
    "compression": (packages.compression, ("none", "gzip", "gzip:9", "xz:0", "zstd:19")),
    "mode": (packages.mode, ("0644", "0755", "4755", "1777", "0000")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("grammar", "text"),
    [(grammar, text) for grammar, (_, texts) in ACCEPTED.items() for text in texts],
    ids=lambda value: value[:30] or "(empty)",
)
def test_accepted(grammar: str, text: str) -> None:
    ACCEPTED[grammar][0](text)


@pytest.mark.parametrize("text", ["0640", "640", "0755"])
def test_a_mode_needs_quotes(text: str) -> None:
    with pytest.raises(Complaint, match="not four digits in quotes") as caught:
        packages.mode(Plain(text))
    assert f'write "{text.rjust(4, "0")}"' in caught.value.cure


@pytest.mark.parametrize(
    ("text", "cure"),
    [("/bin/a", "write /usr/bin/a"), ("/lib64/a", "write /usr/lib64/a"), ("/etc/a/b", "'config'")],
)
def test_a_target_says_where_to_go(text: str, cure: str) -> None:
    with pytest.raises(Complaint) as caught:
        targets.program(text)
    assert cure in caught.value.cure


P, R = "product.yaml", "4.1.0.yaml"
PLACES = {
    "version": (R, "release: 4.1.0", "release: 1.10", "1 version", "write 1.10.0"),
    "quoted version": (R, "release: 4.1.0", 'release: "4.1"', "1 version", "write 4.1.0"),
    "date": (R, "date: 2026-05-04", "date: 2026-02-30", "2 date", "YYYY-MM-DD"),
    "date with time": (R, "date: 2026-05-04", "date: 2026-05-04 10:00:00", "2 date", "YYYY-MM-DD"),
    "early date": (R, "date: 2026-05-04", "date: 1979-12-31", "2 date", "between 1980 and 2099"),
    "newline": (P, "Apache-2.0", '"MIT\\nConflicts: x"', "7 licence", "SPDX"),
    "newline in a changelog": (R, "- Hosts are", '- "a\\nb"\n  - Hosts are', "5 one-line", "one line"),
    "window": (R, '">= 12"', '"<= 12"', "46 window", "'>= 11'"),
    "window of a number alone": (R, '">= 12"', "12", "46 window", "write '>= 12', in quotes"),
    "mode": (R, 'mode: "0755"', "mode: 0755", "22 mode", 'write "0755"'),
    "program": (R, "target: /usr/bin/fleetdesk-web", "target: /bin/web", "21 target", "/usr/bin/web"),
    "argument": (R, "[--port,", '["a\\nb",', "27 one-line", "one line"),
    "environment name": (R, "DEBUG: no", "DE-BUG: no", "28 name", "letters, digits"),
    "environment value": (R, "DEBUG: no", 'DEBUG: "a\\nb"', "28 one-line", "one line"),
    "directive": (P, "  Fleetdesk keeps", "  %files /\n  Fleetdesk keeps", "3 one-line", "put a word before"),
    "summary of a unit": (P, "fleets of hosts", "fleets\\", "2 one-line", "delete it"),
    "unit's description": (R, "web server", "web\\", "25 one-line", "delete it"),
    "writable": (R, "[/var/lib/fleetdesk]", '["/var/lib/fleetdesk/a b"]', "30 path", "ASCII"),
    "home": (R, "home: /var/lib/fleetdesk", "home: /var/lib/%n", "37 path", "ASCII"),
    "variable": (P, "BUILD_LABEL:", "label: {}\n  BUILD_LABEL:", "15 name", "capital letters"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_values_are_checked_where_they_stand(tmp_path: Path, case: str) -> None:
    name, old, new, start, words = PLACES[case]
    expect_one(tmp_path, changed(name, old, new), f"{name}:{start}", words)
