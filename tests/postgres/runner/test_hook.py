"""The transaction hook before a real shard: an incoming server is judged, and nothing is registered."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import release, step
from tests.samples import write_product
from tests.verify_samples import build
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.version import Versions
from toolchain.runner.server import commands, hook_command
from toolchain.runner.server.reading import Memory, Reading

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

RELEASES = (
    release("1.0.0", 10, step("table-0.expand", "CREATE TABLE demo_0 (id bigint);\n")),
    release("1.1.0", 11, step("table-1.expand", "CREATE TABLE demo_1 (id bigint);\n")),
)
MISFIT = (
    "demo-server: demo-server 1.1.0 does not fit shard north: it needs schema >= 11, and the shard"
    " has 10; first run demo-database apply on that shard\n"
)
DOWN = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hook")
    return build(write_product(root / "product"), root / "shelf")


@pytest.fixture
def ask(
    tmp_path: Path,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str, str], tuple[int, str]]:
    """Ask whether a file may come in to a host with server 1.0.0 and a shard."""
    own = {
        "format": 1,
        "product": "demo",
        "release": "1.0.0",
        "server": {
            "schema": {"oldest": 10, "below": None},
            "peers": {"oldest": "1.0.0", "below": None},
        },
        "database": {"schema": 10, "servers": {"oldest": "1.0.0", "below": None}},
    }
    (tmp_path / "release.json").write_text(json.dumps(own))

    def ask(pattern: str, section: str) -> tuple[int, str]:
        (file,) = shelf.glob(pattern)
        (tmp_path / "shards.ini").write_text(f"[north]\n{section}\n")
        (tmp_path / "shards.ini").chmod(0o640)
        question = f"VERSION 3\nA=b\n\ndemo-server 1 all none < 1 all none {file}\n"
        monkeypatch.setattr(hook_command, "read_question", lambda: question)
        code = commands.main(
            program="demo-server",
            release=str(tmp_path / "release.json"),
            config=str(tmp_path / "shards.ini"),
            state=str(tmp_path / "state/command"),
            arguments=("hook", "--apt", "--host", "web1"),
        )
        return int(code), capsys.readouterr().err

    return ask


Ask = Callable[[str, str], tuple[int, str]]


@pytest.mark.parametrize("pattern", ["demo-server_1.1.0*.deb", "demo-server-1.1.0*.rpm"])
def test_a_live_shard_judges(
    make_package: MakePackage, database: "Database", ask: Ask, pattern: str
) -> None:
    package = make_package(*RELEASES, product="demo")
    package.done("apply", "--to", "1.0.0")
    assert ask(pattern, f"dsn = {database.dsn}") == (1, MISFIT)
    package.done("apply")
    assert ask(pattern, f"dsn = {database.dsn}") == (0, "")
    assert database.rows("SELECT count(*) FROM interlock.servers") == [(0,)]


def test_a_shard_that_does_not_answer(tmp_path: Path, ask: Ask) -> None:
    pattern = "demo-server_1.1.0*.deb"
    code, words = ask(pattern, f"dsn = {DOWN}")
    assert (code, words.startswith("demo-server: shard north: cannot connect: ")) == (4, True)

    last_known = f"dsn = {DOWN}\nunreachable = last-known"
    assert "has never answered before" in ask(pattern, last_known)[1]
    memory = Memory(tmp_path / "state/demo-web")
    memory.keep("north", Reading(Handshake(10, Versions("1.0.0")), at=9e9))
    assert "from a clock that went back" in ask(pattern, last_known)[1]
    for schema, answer in ((10, (1, MISFIT)), (11, (0, ""))):
        memory.keep("north", Reading(Handshake(schema, Versions("1.0.0")), at=time.time() - 2))
        assert ask(pattern, last_known) == answer
