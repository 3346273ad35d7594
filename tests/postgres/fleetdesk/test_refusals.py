"""What fleetdesk's programs refuse, each with one sentence: requests, shards, settings."""

import ast
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.fleetdesk.chain import (
    PRODUCT,
    end_of,
)
from tests.postgres.fleetdesk.programs import (
    Program,
    Web,
    command,
    shards_file,
)
from tests.postgres.fleetdesk.servers import (
    APPLICATION,
    Server,
)
from tests.postgres.fleetdesk.walking import (
    At,
)

pytestmark = pytest.mark.xdist_group("fleetdesk")


JSON = "application/json"
BAD_REQUESTS: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/nowhere", None, {}, 404),
    ("GET", "/hosts/..%2f..%2fetc", None, {}, 400),
    ("GET", "/hosts/nobody", None, {}, 404),
    ("DELETE", "/hosts/nobody", None, {}, 404),
    ("DELETE", "/hosts", None, {}, 404),
    ("PUT", "/hosts", {}, {}, 501),
    ("POST", "/", {}, {}, 404),
    ("POST", "/hosts", {"name": "a"}, {"Content-Type": "text/plain"}, 415),
    ("POST", "/hosts", b"x" * 70000, {}, 413),
    ("POST", "/hosts", b"{", {}, 400),
    ("POST", "/hosts", b"[" * 60000, {}, 400),
    ("POST", "/hosts", b"\xff", {}, 400),
    ("POST", "/hosts", [], {}, 400),
    ("POST", "/hosts", {}, {}, 400),
    ("POST", "/hosts", {"name": "a b"}, {}, 400),
    ("POST", "/hosts", {"name": "x" * 300}, {}, 400),
    ("POST", "/hosts", {"name": "a\n"}, {}, 400),
    ("POST", "/hosts", {"name": ["a"]}, {}, 400),
    ("POST", "/hosts", {"name": "a", "colour": "red"}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": True}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": 2**31}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": -1}, {}, 400),
    ("POST", "/hosts", {"name": "a", "fqdn": "x" * 201}, {}, 400),
    ("POST", "/hosts", {"name": "a", "fqdn": "a\u0000b"}, {}, 400),
    ("POST", "/hosts", b'{"name": "a", "fqdn": "\\ud800"}', {}, 400),
    ("POST", "/hosts", {"name": "a", "ipv4": "1.2.3"}, {}, 400),
    ("POST", "/hosts", {"name": "a", "ipv6": "fe80::1%eth0"}, {}, 400),
    ("POST", "/hosts/nobody/scan", {}, {}, 404),
    ("POST", "/hosts/nobody/scan?priority=101", {}, {}, 400),
    ("POST", "/hosts/nobody/scan?priority=soon", {}, {}, 400),
    ("POST", "/hosts/nobody/scan?urgent=1", {}, {}, 400),
]


def test_requests_that_make_no_sense_get_a_sentence(
    probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = probed(end_of("4.3.0"))
    before = database.rows("SELECT count(*) FROM public.host")
    web = Web(
        servers["4.3.0"],
        shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION)),
    )
    running.append(web)
    for method, path, body, headers, wanted in BAD_REQUESTS:
        status, answer = web.ask(method, path, body, **headers)
        assert status == wanted, (method, path, body, answer)
        assert status == 501 or answer["error"]
    assert web.ask("POST", "/hosts/nobody/scan?priority=1", {})[0] == 404
    assert database.rows("SELECT count(*) FROM public.host") == before
    assert web.stop() == 0
    assert not any("Traceback" in line for line in web.lines)


BAD_SHARDS = [
    (None, "bad.ini does not exist"),
    ("", "names no shard"),
    ("[*]\npatience = 1\n", "names no shard"),
    ("dsn = x\n", "line 1"),
    ("[north]\ndsn = password=hush oops\n", "is not a connection string"),
    ("[north]\ndsn = password=hush dbname=x\n", "run: chmod 0640"),
    ("[north]\n", "needs either a dsn or a service"),
    ("[north]\ndsn = dbname=x\nservice = y\n", "needs either a dsn or a service"),
    ("[north]\ndsn = dbname=x\npassword_file = none\n", "none does not exist"),
    ("[north]\ndsn = dbname=x\n[north]\ndsn = dbname=y\n", "line 3"),
]
BAD_SETTINGS = [
    (None, "bad.ini does not exist"),
    ("[web]\nport = 70000\n", "ports end at 65535"),
    ("[web]\nport = many\n", "not a number"),
    ("[worker]\npoll_seconds = 0\n", "between 0.01 and 3600"),
    ("[web]\ncolour = red\n", "nothing is known of 'colour'"),
    ("[log]\nlevel = loud\n", "not one of"),
]


def test_programs_refuse_bad_settings_with_one_sentence(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    programs = servers["4.2.0"].tree / "usr" / "bin"
    settings = servers["4.2.0"].tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    shards, bad = shards_file(tmp_path / "shards.ini", north="dbname=x"), tmp_path / "bad.ini"

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = (sys.executable, "-IB", str(programs / name), *arguments)
        return subprocess.run(program, check=False, capture_output=True, text=True, timeout=120)

    def refused(name: str, config: Path, shards: Path, sentence: str) -> None:
        done = run(name, "--config", str(config), "--shards", str(shards))
        assert (done.returncode, done.stdout) == (78, "")
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
        assert "hush" not in done.stderr

    for name in ("fleetdesk-web", "fleetdesk-worker"):
        assert (programs / name).read_text().startswith("#!/usr/bin/python3 -IB\n")
        assert (programs / name).stat().st_mode & 0o111
        assert run(name, "--version").stdout == f"{name} 4.2.0\n"
        assert "--shards" in run(name, "--help").stdout
        assert run(name, "--nonsense").returncode == 2
        refused(name, settings, tmp_path / "none.ini", "none.ini does not exist")
    for text, sentence in BAD_SHARDS:
        bad.unlink(missing_ok=True)
        if text is not None:
            bad.write_text(text)
        refused("fleetdesk-web", settings, bad, sentence)
    for text, sentence in BAD_SETTINGS:
        bad.unlink(missing_ok=True)
        if text is not None:
            bad.write_text(text)
        refused("fleetdesk-web", bad, shards, sentence)


def test_a_port_that_is_taken_is_told_and_not_traced(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    shards = shards_file(tmp_path / "shards.ini", north="dbname=x")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        web = command(servers["4.2.0"], "fleetdesk-web", "--shards", str(shards), "--port", port)
        done = subprocess.run(web, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 69
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_shipped_is_python_3_9() -> None:
    sources = [*PRODUCT.glob("payload/**/*.py"), *PRODUCT.glob("payload/common/fleetdesk-w*")]
    assert len(sources) > 25
    for source in sources:
        ast.parse(source.read_text(), str(source), feature_version=(3, 9))
