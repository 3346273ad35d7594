"""What the server package installs: sources, targets, owners (hazards 10, 11, 12, 23)."""

import os
import socket
from pathlib import Path

import pytest

from tests.unit.spec.memory import Memory
from tests.unit.spec.sample import SAMPLE, changed, expect_one, told, write
from toolchain.importer.stand_in import stand_in
from toolchain.model.stand_in import MARK
from toolchain.spec import check_product
from toolchain.spec.codes import Code

R = "4.1.0.yaml"
SHORT = "    - logging.toml\n"
FILES = "  files:\n"
PATH = "path: /var/lib/fleetdesk"

CASES = {
    "missing": ("source: web", "source: wep", "20 source-missing", ("payload/wep", "build the")),
    "directory as a program": ("source: web", "source: lib", "20 source-kind", ("one file",)),
    "directory as config": (SHORT, "    - lib\n", "33 source-kind", ("one file",)),
    "directory with a mode": (
        "{source: lib, target: /usr/lib/fleetdesk}",
        '{source: lib, target: /usr/lib/fleetdesk, mode: "0755"}',
        "35 source-kind", ("one file",),
    ),
    "no payload directory": ("payload: payload", "payload: nothing", "6 source-missing", ("nothing",)),
    "payload is a file": ("payload: payload", "payload: payload/web", "6 source-kind", ("a file",)),
    "architecture": ("source: web", "source: {amd64: web}", "20 source-architecture", ("add the key all",)),
    "missing for one": ("source: web", "source: {all: web, amd64: wep}", "20 source-missing", ("wep",)),
    "service's user": ("user: fleetdesk", "user: fleet", "26 unknown-user", ("add fleet to 'users'",)),
    "config's group": ("group: fleetdesk}\n    - log", "group: adm}\n    - log", "32 unknown-user", ("root",)),
    "directory's owner": ("owner: fleetdesk", "owner: fleet", "39 unknown-user", ("add fleet",)),
    "config twice": (SHORT, f"{SHORT}{SHORT}", "34 duplicate-target", ("(line 33)",)),
    "program twice": (
        FILES, f"{FILES}    - {{source: web, target: /usr/bin/fleetdesk-web}}\n",
        "35 duplicate-target", ("(line 21)", "change one of the targets"),
    ),
    "file inside a directory": (
        FILES, f"{FILES}    - {{source: web, target: /usr/lib/fleetdesk/a b/x*.py}}\n",
        "36 duplicate-target", ("(line 35)",),
    ),
    "file below a file": (
        FILES, f"{FILES}    - {{source: web, target: /usr/bin/fleetdesk-web/x}}\n",
        "35 duplicate-target", ("lies below '/usr/bin/fleetdesk-web', which is a file",),
    ),
    "unit file": (
        FILES,
        f"{FILES}    - {{source: web, target: /usr/lib/systemd/system/fleetdesk-web.service}}\n",
        "35 duplicate-target", ("(line 24)",),
    ),
    "own document": ("[upgrading.md]", "[upgrading.md, copyright]", "40 duplicate-target", ("Interlock",)),
    "document twice": ("[upgrading.md]", "[upgrading.md, upgrading.md]", "40 duplicate-target", ()),
    "user twice": (
        "  directories:\n",
        "    - {name: fleetdesk, description: x, home: /var/lib/x}\n  directories:\n",
        "38 duplicate-name", ("on line 37",),
    ),
    "directory twice": (
        "  documents:",
        '    - {path: /var/lib/fleetdesk, owner: root, group: root, mode: "0755"}\n  documents:',
        "40 duplicate-name", ("on line 39",),
    ),
    "directory of dpkg": (PATH, "path: /var/lib/dpkg", "39 target", ("/var/lib/fleetdesk-NAME",)),
    "directory below another's": (PATH, "path: /var/log/apt/a", "39 target", ("a purge would remove",)),
    "directory of systemd": (PATH, "path: /run/systemd", "39 target", ("'users'",)),
    "directory of a similar name": (PATH, "path: /var/opt/fleetdesks", "39 target", ("/var/opt/fleet",)),
    "start-up check's memory": (PATH, "path: /var/lib/fleetdesk-server", "39 target", ("start-up",)),
    "below that memory": (PATH, "path: /var/lib/fleetdesk-server/a", "39 target", ("start-up",)),
    "dependency twice": ("deb: [python3,", "deb: [python3, python3,", "43 duplicate-item", ()),
    "own package": ("deb: [python3,", "deb: [fleetdesk-schema,", "43 dependency", ("'compatibility'",)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_payload(tmp_path: Path, case: str) -> None:
    old, new, start, words = CASES[case]
    files = {**changed(R, old, new), "payload/copyright": "x"}
    expect_one(tmp_path, files, f"{R}:{start}", *words)


OWN = ["/var/lib/fleetdesk/a", "/srv/fleetdesk-web", "/var/log/fleetdesk-server2", "/run/agent/a"]


@pytest.mark.parametrize("path", OWN)
def test_directories_of_its_own(tmp_path: Path, path: str) -> None:
    files = changed(R, PATH, f"path: {path}")
    agent = "    - {name: agent, description: x, home: /nonexistent}\n  directories:\n"
    files[R] = files[R].replace("  directories:\n", agent)
    assert told(tmp_path, files) == []


def test_directories_of_a_product_without_a_name(tmp_path: Path) -> None:
    expect_one(
        tmp_path, changed("product.yaml", "product: fleet", "product: Fleet"), "product.yaml:1 name"
    )


UNREADABLE = {
    "program and its older release": ("payload/web", ["4.0.0.yaml:12", "4.1.0.yaml:20"]),
    "config": ("payload/logging.toml", ["4.1.0.yaml:33"]),
    "within a directory": ("payload/lib/a b/x*.py", ["4.1.0.yaml:35"]),
    "document": ("payload/upgrading.md", ["4.1.0.yaml:40"]),
    "manual": ("payload/fleetdesk-web.1", ["4.1.0.yaml:41"]),
    "payload": ("payload", ["4.0.0.yaml:5", "4.1.0.yaml:6"]),
    "SQL": ("sql/12-split-host.sql", ["4.1.0.yaml:10"]),
    "spec": ("product.yaml", ["product.yaml:1"]),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_this_user_may_not_read(case: str) -> None:
    closed, places = UNREADABLE[case]
    files = {name: text.encode() for name, text in SAMPLE.items()}
    problems = check_product(Memory(files, unreadable=closed), {}).problems
    assert [
        f"{Path(problem.origin.file).name}:{problem.origin.line}"
        for problem in problems
        if problem.code is Code.UNREADABLE
    ] == places
    assert len(problems) == len(places)


MARKED = f"#!/bin/sh\n{MARK} words that may change.\nexit 69\n"
PROGRAMS = {
    "as an import writes it": (stand_in("web")[1].text, True),
    "as another version wrote it": (MARKED, True),
    "edited": (f"#!/bin/bash -e\n# Ours.\n\n{MARKED.partition(chr(10))[2]}sleep 9\n", True),
    "with other line ends": (MARKED.replace("\n", "\r\n"), True),
    "a program that began as one": (MARKED.replace(MARK, "# Once"), False),
    "a program that quotes the mark": (f"#!/bin/sh\ngrep '{MARK}' /usr/bin/shop\n", False),
    "a program with the mark in its data": (f"#!/bin/sh\n{'#' * 1020}\n{MARK}\n", False),
    "no script": (f"\x7fELF\n{MARK}\n", False),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_a_stand_in_for_a_program_is_told_and_keeps_nothing_from_being_built(case: str) -> None:
    text, told_of = PROGRAMS[case]
    files = {**SAMPLE, "payload/web": text, "payload/upgrading.md": MARKED}
    checked = check_product(Memory({name: text.encode() for name, text in files.items()}), {})
    assert checked.product is not None
    assert [
        (Path(hint.origin.file).name, hint.origin.line, hint.path)
        for hint in checked.hints
        if hint.code is Code.STAND_IN
    ] == [
        ("4.0.0.yaml", 12, "server.binaries[0].source"),
        (R, 20, "server.binaries[0].source"),
    ] * told_of


def test_a_service_named_after_an_odd_target(tmp_path: Path) -> None:
    files = changed("4.0.0.yaml", "/usr/bin/fleetdesk-web", "/usr/bin/fleetdesk web")
    expect_one(tmp_path, files, "4.0.0.yaml:12 name", "give the service a 'name'")


def test_two_services_of_one_name(tmp_path: Path) -> None:
    again = "    - {source: web, target: /usr/sbin/fleetdesk-web, service: {user: root}}\n  users:"
    files = changed("4.0.0.yaml", "  users:", again)
    expect_one(tmp_path, files, "4.0.0.yaml:13 duplicate-target", "fleetdesk-web.service")


def test_a_source_for_each_architecture(tmp_path: Path) -> None:
    files = changed(
        "product.yaml", "rpm: {architectures: [all]}", "rpm: {architectures: [amd64, arm64]}"
    )
    files = {**files, "payload/arm": "", "payload/amd": ""}
    for name in ("4.0.0.yaml", R):
        files[name] = files[name].replace(
            "source: web", "source: {all: web, amd64: amd, arm64: arm}"
        )
    assert told(tmp_path, files) == []


def test_a_setuid_bit_must_be_declared(tmp_path: Path) -> None:
    write(tmp_path, changed(R, 'mode: "0755"', 'mode: "4755"'))
    (tmp_path / "payload/web").chmod(0o4755)
    (line,) = told(tmp_path, {})
    assert line.startswith("4.0.0.yaml:12 setuid:")
    assert 'mode: "4755"' in line


def test_a_setuid_bit_within_a_directory(tmp_path: Path) -> None:
    write(tmp_path, SAMPLE)
    (tmp_path / "payload/lib/a b/x*.py").chmod(0o2755)
    (line,) = told(tmp_path, {})
    assert line.startswith(f"{R}:35 setuid:")


LINKS = {
    "within": ("x*.py", None),
    "to its directory": ("../a b", None),
    "through a directory": ("./../a b/./x*.py", None),
    "out of the source": ("../../../web", "source-escape"),
    "just out of the source": ("../..", None),
    "absolute": ("/etc/passwd", "source-escape"),
    "nowhere": ("nothing", "source-missing"),
    "to itself": ("link", "source-missing"),
    "below a file": ("x*.py/y", "source-missing"),
}


@pytest.mark.parametrize("case", LINKS)
def test_links_in_a_directory(tmp_path: Path, case: str) -> None:
    leads_to, code = LINKS[case]
    write(tmp_path, SAMPLE)
    (tmp_path / "payload/lib/a b/link").symlink_to(leads_to)
    listed = told(tmp_path, {})
    if case == "just out of the source":
        assert [line.split(": ")[0] for line in listed] == [f"{R}:35 source-escape"]
    elif code is None:
        assert listed == []
    else:
        assert [line.split(": ")[0] for line in listed] == [f"{R}:35 {code}"]


def test_a_chain_of_links_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {**SAMPLE, "payload/lib/releases/1/bin/tool": ""})
    (tmp_path / "payload/lib/current").symlink_to("releases/1")
    (tmp_path / "payload/lib/bin").symlink_to("current/bin")
    (tmp_path / "payload/lib/tool").symlink_to("bin/tool")
    assert told(tmp_path, {}) == []


def test_a_link_that_leaves_by_way_of_another(tmp_path: Path) -> None:
    write(tmp_path, {**SAMPLE, "payload/lib/x/y/file": "", "payload/lib/x/web": ""})
    (tmp_path / "payload/lib/x/up").symlink_to("..")
    (tmp_path / "payload/lib/x/out").symlink_to("up/../web")
    (line,) = told(tmp_path, {})
    assert "source-escape" in line


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_special_files(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, SAMPLE)
    monkeypatch.chdir(tmp_path / "payload/lib")
    if kind == "pipe":
        os.mkfifo("special")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("special")
    (line,) = told(tmp_path, {})
    assert line.startswith(f"{R}:35 source-special:")


def test_a_source_that_is_special(tmp_path: Path) -> None:
    write(tmp_path, SAMPLE)
    (tmp_path / "payload/web").unlink()
    os.mkfifo(tmp_path / "payload/web")
    assert ["source-special" in line for line in told(tmp_path, {})] == [True, True]


@pytest.mark.parametrize("link", ["/etc/passwd", "../../outside"])
def test_a_source_that_leads_out(tmp_path: Path, link: str) -> None:
    write(tmp_path / "product", SAMPLE)
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "product/payload/web").unlink()
    (tmp_path / "product/payload/web").symlink_to(link)
    listed = told(tmp_path / "product", {})
    assert ["source-escape" in line for line in listed] == [True, True]


def test_a_payload_that_leads_out(tmp_path: Path) -> None:
    write(tmp_path / "product", SAMPLE)
    (tmp_path / "product/payload").rename(tmp_path / "payload")
    (tmp_path / "product/payload").symlink_to("../payload")
    listed = told(tmp_path / "product", {})
    assert [line.split(": ")[0] for line in listed] == [
        "4.0.0.yaml:5 source-escape",
        "4.1.0.yaml:6 source-escape",
    ]


@pytest.mark.parametrize("name", [b"a\nb", b"a\x1bb", b"\xff", b"a\tb", "\u202e".encode()])
def test_names_that_no_package_can_hold(tmp_path: Path, name: bytes) -> None:
    write(tmp_path, SAMPLE)
    Path(os.fsdecode(os.fsencode(tmp_path / "payload/lib") + b"/" + name)).touch()
    (line,) = told(tmp_path, {})
    assert line.startswith(f"{R}:35 source-name:")
    assert line.isprintable()


def test_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "payload/empty").mkdir(parents=True)
    files = changed(R, "{source: lib, ", "{source: empty, ")
    expect_one(tmp_path, files, f"{R}:35 source-empty", "build the payload first")


def test_a_hard_link_is_a_file(tmp_path: Path) -> None:
    write(tmp_path, SAMPLE)
    (tmp_path / "payload/lib/web").hardlink_to(tmp_path / "payload/web")
    assert told(tmp_path, {}) == []


def test_a_service_says_how_it_is_asked_for_its_health(tmp_path: Path) -> None:
    asked = "user: fleetdesk\n        health: {url: 'http://127.0.0.1/health', command: [/bin/ok, 1], timeout: 5}"
    files = changed("4.1.0.yaml", "user: fleetdesk", asked)
    checked = check_product(Memory({name: text.encode() for name, text in files.items()}), {})
    assert checked.product is not None, checked.problems
    health = checked.product.releases[-1].server.services[0].health
    assert (health.url, health.command, health.timeout) == (
        "http://127.0.0.1/health",
        ("/bin/ok", "1"),
        5,
    )


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        ("{url: 'ftp://x'}", "is not an address"),
        ("{url: 'http://x/{{ a b }}'}", "is not an address"),
        ("{timeout: 0}", "1"),
        ("{}", "is empty"),
        ("{address: 'http://x'}", "address"),
    ],
)
def test_a_health_check_that_nobody_can_ask(tmp_path: Path, health: str, sentence: str) -> None:
    files = changed("4.1.0.yaml", "user: fleetdesk", f"user: fleetdesk\n        health: {health}")
    problems = check_product(Memory({n: t.encode() for n, t in files.items()}), {}).problems
    assert any(sentence in str(problem) for problem in problems), problems
