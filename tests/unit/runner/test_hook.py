"""The transaction hook before real packages: who may come in, who must stay, whom the shards judge."""

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.samples import write_product
from tests.verify_samples import build, plain_deb, plain_rpm, repack
from toolchain.runner.core.config import Shard
from toolchain.runner.core.errors import Refused, RunnerError, ShardError
from toolchain.runner.packages.package_file import open_package
from toolchain.runner.server.hook import Hook
from toolchain.runner.server.identity import Names
from toolchain.runner.server.release_file import ServerRelease

NORTH = "[north]\ndsn = dbname=north\n"
Ask = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hook")
    return build(write_product(root / "product"), root / "shelf")


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the hook about files that come in and names that go; answers its code and its words."""

    def ask(
        *files: Path,
        going: Sequence[str] = (),
        config: str = NORTH,
        against: RunnerError | None = None,
    ) -> tuple[int, str]:
        path = tmp_path / "shards.ini"
        path.write_text(config)
        path.chmod(0o640)
        said = io.StringIO()

        def judge(
            release: ServerRelease, shards: Sequence[Shard]
        ) -> Sequence[tuple[str, RunnerError]]:
            said.write(f"judged {release.server.version} by {[shard.name for shard in shards]}\n")
            return [] if against is None else [("north", against)]

        hook = Hook(
            program="demo-server", names=Names("demo"), config=path, judge=judge, stream=said
        )
        lines = [f"{named(file)} 1 {file}\n" for file in files]
        lines += [f"{name} 1 -\n" for name in going]
        code = hook.run("".join(lines), apt=False)
        return int(code), said.getvalue()

    return ask


def named(file: Path) -> str:
    """The package's name, by that of its file."""
    found = re.match(r"([a-z-]+?)[-_][0-9]", file.name)
    assert found is not None
    return found[1]


def server(shelf: Path, kind: str, release: str = "1.1.0") -> Path:
    (path,) = shelf.glob(f"demo-server[-_]{release}-1*.{kind}")
    return path


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_a_package_is_read(shelf: Path, kind: str) -> None:
    package = open_package(server(shelf, kind))
    assert (package.name, package.version) == ("demo-server", "1.1.0-1")
    database = next(shelf.glob(f"demo-database[-_]1.1.0-1*.{kind}"))
    assert "demo-schema" in open_package(database).provides
    release = package.read("/usr/share/demo-server/release.json")
    assert release is not None
    assert b'"product": "demo"' in release
    assert package.read("/usr/lib/demo/sub/data") == bytes(range(256))
    assert package.read("/usr/lib/demo/nothing") is None
    assert package.read("/usr/lib/demo") is None


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_a_server_is_judged_by_what_its_file_says(shelf: Path, ask: Ask, kind: str) -> None:
    assert ask(server(shelf, kind)) == (0, "judged 1.1.0 by ['north']\n")
    refused = ask(server(shelf, kind, "1.0.0"), against=Refused("does not fit shard north", "wait"))
    assert refused == (
        1,
        "judged 1.0.0 by ['north']\ndemo-server: does not fit shard north; wait\n",
    )
    code, words = ask(server(shelf, kind), against=ShardError("cannot connect: refused"))
    assert code == 4
    assert words.endswith("demo-server: shard north: cannot connect: refused\n")


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_a_database_package_changes_no_shard(shelf: Path, ask: Ask, kind: str) -> None:
    assert ask(next(shelf.glob(f"demo-database[-_]1.1.0-1*.{kind}"))) == (0, "")


def test_no_shard_is_configured_yet(shelf: Path, ask: Ask) -> None:
    code, words = ask(server(shelf, "deb"), config="[*]\n# unreachable = refuse\n")
    assert code == 0
    assert "names no shard yet, so none was asked" in words
    code, words = ask(server(shelf, "deb"), config="[north]\nnonsense = 1\n")
    assert code == 3
    assert "there is no option 'nonsense'" in words


SHARD = "claims to be a shard's package, which only the agent of this host makes"
SCHEMA = "provides demo-schema, and is no package of demo"


@pytest.mark.parametrize(
    ("name", "tags", "sentence"),
    [
        ("demo-server", {}, "demo-server 9.0-1 does not say which schema it needs"),
        ("demo-database", {}, "demo-database 9.0-1 does not say which schema it needs"),
        ("demo-shard-north", {}, SHARD),
        ("claimant", {"Provides": "demo-schema"}, SCHEMA),
        ("harmless", {"Provides": "demo-schematic"}, None),
    ],
)
@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_claims_to_our_names(
    tmp_path: Path, ask: Ask, kind: str, name: str, tags: dict[str, str], sentence: str | None
) -> None:
    if kind == "deb":
        tags = {field: f"mail-transport-agent (= 1), {text} (= 99)" for field, text in tags.items()}
        path = plain_deb(tmp_path, name, "9.0-1", **tags)
    else:
        path = plain_rpm(tmp_path, name, "9.0", **tags)
    code, words = ask(path)
    assert code == (0 if sentence is None else 1)
    assert (sentence or "") in words


def test_another_version_or_product_than_the_file_says(
    shelf: Path, tmp_path: Path, ask: Ask
) -> None:
    newer = repack(
        server(shelf, "deb"), tmp_path / "newer", lambda text: text.replace("1.1.0-1", "1.2.0-1", 1)
    )
    code, words = ask(newer)
    assert code == 1
    assert "demo-server 1.2.0-1 is release 1.1.0, by its release.json" in words


def test_what_cannot_be_read(tmp_path: Path, ask: Ask) -> None:
    for name, code in (("demo-server_1_all.deb", 3), ("other_1_all.deb", 0)):
        (tmp_path / name).write_bytes(b"!<arch>\nrubbish")
        assert ask(tmp_path / name)[0] == code
    assert ask(tmp_path / "demo-server_2_all.deb")[0] == 3


def test_a_shards_package_stays_with_its_server(ask: Ask) -> None:
    code, words = ask(going=["demo-shard-north", "other"])
    assert (code, "demo-shard-north stays as long as demo-server does" in words) == (1, True)
    assert ask(going=["demo-shard-south"]) == (0, "")
    assert ask(going=["demo-shard-north"], config="[*]\n") == (0, "")
    assert ask(going=["demo-shard-north", "demo-server"]) == (0, "")
    assert ask(going=["demo-server"]) == (0, "")
