"""The command: packages and migrations to a product that passes check, and hostile ones to sentences."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Interlock
from tests.unit.importer.test_folders import revision, write
from toolchain.cli.import_ import command
from toolchain.errors import UsageError
from toolchain.runner.packages.relation import Relation
from toolchain.runner.packages.rpm_file import RpmPackage, rpm_bytes

Invoke = Callable[..., Result]

CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Shop <s@example.com>
{relation}Description: Sells $(touch canary) {{{{ 7 * 7 }}}}
 It sells: 100 %%, # and ${{MORE}}.
"""
UNIT = "[Service]\nExecStart=/usr/bin/shop --port ${PORT}\nUser=shop\nNice=5\n"


def ar(members: dict[str, bytes]) -> bytes:
    """A deb is an ar archive (deb(5)); dpkg-deb would not build some of those below."""
    archive = b"!<arch>\n"
    for name, data in members.items():
        archive += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data
        archive += b"\n" * (len(data) % 2)
    return archive


def tar(*members: tuple[str, bytes | str]) -> bytes:
    """A tar of files, and of links where the content is a text."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def deb(
    path: Path,
    name: str,
    version: str,
    *files: tuple[str, bytes | str],
    relation: str = "",
    **more: bytes,
) -> None:
    control = CONTROL.format(name=name, version=version, relation=relation).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": tar(
            ("./control", control), *((f"./{key}", text) for key, text in more.items())
        ),
        "data.tar.gz": tar(*files),
    }
    path.write_bytes(ar(members))


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """The command in this process, which is much quicker; its errors are not yet sentences."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(command, list(arguments))


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two releases of a server, with a database that carries its migrations."""
    folder = tmp_path / "old"
    script = b"#!/bin/sh\ntouch canary\n"
    for number, version in enumerate(("1.0.0-1", "1.1.0-1"), start=1):
        files = [(f"./usr/share/shop-db/{n}_step.sql", b"") for n in range(1, number + 1)]
        deb(
            folder / f"server{number}.deb", "shop-server", version,
            ("./usr/bin/shop", b"#!/bin/sh\n"), ("./etc/shop/shop.ini", b"a=1\n"),
            ("./lib/systemd/system/shop.service", UNIT.encode()),
            relation=f"Depends: python3 (>= 3.9), shop-db (>= {version})\n",
            postinst=script, conffiles=b"/etc/shop/shop.ini\n",
        )  # fmt: skip
        deb(folder / f"db{number}.deb", "shop-db", version, *files)
    return folder


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    steps = {
        "1_step.sql": "CREATE TABLE host (id bigint PRIMARY KEY, os text);",
        "2_step.sql": "ALTER TABLE host ADD COLUMN note text;",
    }
    return write(tmp_path / "sql", steps)


def test_packages_and_migrations_become_a_product_that_passes(
    interlock: Interlock, tmp_path: Path, packages: Path, migrations: Path
):
    done = interlock(
        "import", "shop", "--packages", packages, "--migrations", migrations, "--payload"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert interlock("check", "shop").returncode == 0
    assert interlock("build", "shop", "1.1.0", "--output", "dist").returncode == 0
    product, spec = (
        (tmp_path / "shop/product.yaml").read_text(),
        (tmp_path / "shop/1.1.0.yaml").read_text(),
    )
    assert 'summary: "Sells $(touch canary) {{ 7 * 7 }}"' in product
    assert "change: step-2" in spec
    assert 'arguments: ["--port", "$${PORT}"]' in spec
    assert 'server: {schema: ">= 2"}' in spec
    assert "Nice=5" in done.stdout
    assert "  # To decide: of the unit /usr/lib/systemd/system/shop.service" in spec
    shown = json.loads(interlock("show", "shop", "--json").stdout)
    assert [release["schema"] for release in shown["releases"]] == [1, 2]
    assert (
        (tmp_path / "shop/by-hand/1.1.0/shop-server.deb.postinst")
        .read_text()
        .endswith("touch canary\n")
    )
    assert (tmp_path / "shop/payload/1.1.0/etc/shop/shop.ini").read_text() == "a=1\n"
    assert not list(tmp_path.rglob("canary"))


def test_migrations_alone_become_a_product_with_a_stand_in_for_its_server(
    interlock: Interlock, tmp_path: Path, migrations: Path
):
    """It can be checked, which tells of it, and built; whoever starts it hears what is missing."""
    done = interlock("import", "shop", "--migrations", migrations, "--server", "shopd")
    assert done.returncode == 0, done.stdout
    assert "stand-in/shopd holds the place of /usr/bin/shopd" in done.stdout
    spec = (tmp_path / "shop/1.0.0.yaml").read_text()
    assert "# To decide: the programs, each with its service" in spec
    checked = interlock("check", "shop", "--json")
    hints = json.loads(checked.stdout)["problems"]
    told = [hint for hint in hints if hint["code"] == "stand-in"]
    line = next(at for at, text in enumerate(spec.split("\n"), 1) if "source: stand-in/" in text)
    assert (checked.returncode, told[0]["file"], told[0]["line"]) == (0, "shop/1.0.0.yaml", line)
    assert interlock("build", "shop", "1.0.0", "--output", "dist").returncode == 0
    packed = tmp_path / "packed"
    (server,) = (tmp_path / "dist").rglob("*-server_*.deb")
    subprocess.run(("dpkg-deb", "-x", server, packed), check=True)
    started = subprocess.run((packed / "usr/bin/shopd",), capture_output=True, check=False)
    assert (started.returncode, started.stderr[:6]) == (69, b"shopd:")


def test_an_import_says_what_it_would_do_and_overwrites_nothing(
    interlock: Interlock, tmp_path: Path, migrations: Path
):
    done = interlock("import", "shop", "--migrations", migrations, "--dry-run", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["written"], answer["problems"]) == (0, False, [])
    assert not (tmp_path / "shop").exists()
    write(tmp_path, {"shop/mine": "1"})
    refused = interlock("import", "shop", "--migrations", migrations)
    assert (refused.returncode, "nothing is overwritten" in refused.stderr) == (5, True)
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop", "sql"]


def test_an_rpm_is_read_and_its_files_are_taken(interlock: Interlock, tmp_path: Path):
    rpm = RpmPackage(
        name="shop-server", version="1.0.0", release="1", summary="%(touch canary) shop", licence="MIT",
        built=1767225600, requires=(Relation("python3", ">=", "3.9"),), provides=(),
        conflicts=(Relation("shop-db", "<", "0.9.0"),),
        files={"/usr/bin/shop": b"#!/bin/sh\n", "/etc/shop.ini": b"a=1\n", "/usr/bin/a b": b"x"},
    )  # fmt: skip
    write(tmp_path, {"old/x": ""})
    (tmp_path / "old/[odd]*.rpm").write_bytes(rpm_bytes(rpm))
    done = interlock("import", "shop", "--packages", "old", "--payload", "--database", "shop-db")
    assert done.returncode == 0, done.stdout + done.stderr
    spec = (tmp_path / "shop/1.0.0.yaml").read_text()
    assert "date: 2026-01-01" in spec
    assert 'rpm: ["python3 >= 3.9"]' in spec
    assert "target: /usr/bin/a b" in spec
    assert (tmp_path / "shop/payload/1.0.0/etc/shop.ini").read_bytes() == b"a=1\n"
    assert not list(tmp_path.rglob("canary"))


def test_a_payload_that_leads_out_is_left_there(tmp_path: Path, invoke: Invoke):
    names = ("./../../escaped", "/../escaped", "./usr/bin/../../../escaped", "./usr/bin/a\nb")
    bad = [(name, b"out") for name in names]
    deb(tmp_path / "old/a.deb", "shop", "1.0.0", ("./usr/bin/shop", b"#!/bin/sh\n"), *bad)
    done = invoke("in/shop", "--packages", "old", "--payload")
    assert done.output.count("was not taken") >= len(names) - 1, done.output
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in found if path.read_bytes() == b"out"]


def test_links_and_what_is_behind_them_are_not_taken(tmp_path: Path, invoke: Invoke):
    outside = tmp_path / "outside"
    outside.mkdir()
    deb(
        tmp_path / "old/a.deb", "shop", "1.0.0", ("./usr/bin/shop", b"#!/bin/sh\n"),
        ("./usr/lib/shop", str(outside)), ("./usr/lib/shop/x", b"out"),
    )  # fmt: skip
    done = invoke("shop", "--packages", "old", "--payload")
    assert "links, devices and ghosts were not taken: /usr/lib/shop" in done.output
    assert not list(outside.iterdir())
    assert (tmp_path / "shop/payload/1.0.0/usr/lib/shop/x").read_bytes() == b"out"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"!<arch>\nrubbish", "is damaged"),
        (b"", "is damaged"),
        (
            ar({"debian-binary": b"2.0\n", "control.tar.gz": tar(), "data.tar.gz": tar()}),
            "is damaged",
        ),
    ],
)
def test_damaged_packages_are_told(tmp_path: Path, invoke: Invoke, content: bytes, says: str):
    (tmp_path / "a.deb").write_bytes(content)
    done = invoke("shop", "--packages", "a.deb")
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)
    assert not (tmp_path / "shop").exists()


def test_a_fifo_is_not_waited_for(tmp_path: Path, invoke: Invoke):
    os.mkfifo(tmp_path / "a.deb")
    assert isinstance(invoke("shop", "--packages", "a.deb").exception, UsageError)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "nothing to import"),
        (("--by", "tags"), "give --migrations"),
        (("--packages", "sql", "--refactor"), "give --migrations"),
        (("--migrations", "sql", "--payload"), "give --packages"),
        (("--migrations", "sql", "--server", "a/../b"), "give the name of the server's program"),
        (("--migrations", "sql", "--tool", "flyway"), "no script of Flyway"),
        (("--migrations", "sql", "--baseline", "9.9.9"), "is none of the releases"),
        (("--migrations", "sql", "--define", "x"), "gives no value"),
        (("--migrations", "sql", "--release", "soon"), "'soon' is no version"),
        (("--migrations", "sql", "--name", "No"), "is not a product name"),
    ],
)
@pytest.mark.usefixtures("migrations")
def test_a_wrong_call_is_told(invoke: Invoke, arguments, says: str):
    done = invoke("shop", *arguments)
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)


def test_git_tags_tell_releases_and_days(interlock: Interlock, tmp_path: Path, migrations: Path):
    environment = {
        **os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_DATE": "2026-01-02T00:00:00Z",
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def git(*arguments: str) -> None:
        subprocess.run(
            ("git", *arguments), cwd=tmp_path, env=environment, check=True, capture_output=True
        )

    git("init")
    # A hostile repository's own settings may name programs; none of them is run.
    git("config", "core.fsmonitor", f"touch {tmp_path}/canary")
    (tmp_path / "sql/2_step.sql").rename(tmp_path / "2_step.sql")
    git("-c", "core.fsmonitor=", "add", "sql")
    git("-c", "core.fsmonitor=", "commit", "-m", "one")
    git("tag", "v1.0.0")
    git("tag", "nightly")
    (tmp_path / "2_step.sql").rename(tmp_path / "sql/2_step.sql")
    arguments = ("import", "shop", "--migrations", "sql", "--by", "git-tags", "--dry-run", "--json")
    assert "--release X.Y.Z" in interlock(*arguments).stderr
    releases = json.loads(interlock(*arguments, "--release", "1.1.0").stdout)["releases"]
    assert [(each["release"], each["date"], len(each["steps"])) for each in releases] == [
        ("1.0.0", "2026-01-02", 1),
        ("1.1.0", "2026-01-02", 1),
    ]
    assert not (tmp_path / "canary").exists()


ENV = """\
from alembic import context
context.configure(url="postgresql://u@h/d", literal_binds=True)
with context.begin_transaction():
    context.run_migrations()
"""


def test_alembic_writes_its_own_sql_offline(interlock: Interlock, tmp_path: Path):
    import sys

    write(
        tmp_path / "al",
        {
            "alembic.ini": "[alembic]\nscript_location = db\n",
            "db/env.py": ENV,
            **{
                f"db/{name}": f"import sqlalchemy as sa\nfrom alembic import op\n{text}\ndef downgrade():\n    pass\n"
                for name, text in {
                    **revision(
                        "a",
                        "None",
                        "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))",
                    ),
                    **revision("b", '"a"', "op.add_column('t', sa.Column('x', sa.Text))"),
                }.items()
            },
        },
    )
    program = Path(sys.executable).parent / "alembic"
    done = interlock("import", "shop", "--migrations", "al/db", "--alembic", program)
    assert done.returncode == 0, done.stderr
    texts = [path.read_text() for path in sorted((tmp_path / "shop/sql").glob("*.sql"))]
    assert ["CREATE TABLE t" in texts[0], texts[1]] == [True, "ALTER TABLE t ADD COLUMN x TEXT;\n"]
