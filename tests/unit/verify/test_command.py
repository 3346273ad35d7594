"""`interlock verify` as a user meets it: answers, exit codes, sentences, and what it leaves."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.samples import write_product
from tests.verify_samples import FLEETDESK, build, plain_deb, plain_rpm, repack, shelf
from tests.waiting import appeared


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a product with two releases."""
    root = tmp_path_factory.mktemp("small")
    return build(write_product(root / "demo"), root / "dist")


def test_packages_are_proved_with_everything_that_is_installed(
    interlock: Interlock, packages: Path
):
    run = interlock("verify", packages, "--witness", "apt", "--witness", "dose", "--witness", "dnf")
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.startswith("28 packages, 98 pairs, deb and rpm: libsolv ")
    for name in ("apt ", "dose-debcheck ", "dnf "):
        assert name in run.stderr
    assert " agree with the law in " in run.stderr


def test_the_specs_may_be_the_law(interlock: Interlock, packages: Path):
    run = interlock("verify", packages, "--product", FLEETDESK, "--no-transitions")
    assert run.returncode == 0, run.stdout


def test_a_tampered_deb_is_named_with_relation_and_cure(
    interlock: Interlock, small: Path, tmp_path: Path
):
    debs = shelf(small, tmp_path / "debs")
    repack(
        debs / "demo-server_1.1.0-1_all.deb",
        debs,
        lambda control: control.replace("Conflicts: demo-schema (<< 11)\n", ""),
    )
    run = interlock("verify", debs)
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    (relation,) = (line for line in lines if line.startswith("relation: "))
    assert "demo-server_1.1.0-1_all.deb: lacks 'Conflicts: demo-schema < 11'" in relation
    installs = [line for line in lines if line.startswith("would-install: ")]
    assert "server 1.1.0 with database 1.0.0" in installs[0]
    assert "libsolv" in installs[0]
    assert "apt" in installs[0]
    assert installs[0].endswith("; carry 'demo-server conflicts demo-schema < 11'")
    assert any(line.startswith("transition: ") for line in lines)
    assert " findings in " in run.stderr
    answer = json.loads(interlock("verify", debs, "--json").stdout)
    assert answer["proved"] is False
    assert [one["sentence"] for one in answer["findings"]] == lines
    for one in answer["findings"]:
        assert one["files"]
        assert one["cure"]
        assert one["law"] or one["kind"] in ("foreign", "handshake")


def test_an_epoch_on_the_newest_server_is_found(interlock: Interlock, small: Path, tmp_path: Path):
    debs = shelf(small, tmp_path / "debs")
    newest = debs / "demo-server_1.1.0-1_all.deb"
    repack(newest, debs, lambda text: text.replace("Version: 1.1.0-1", "Version: 1:1.1.0-1"))
    run = interlock("verify", debs)
    assert run.returncode == 1
    (line,) = run.stdout.splitlines()
    assert line.startswith(f"epoch: {newest}: has the epoch 1: ")
    assert line.endswith("; version it 1.1.0-1")


def test_json_names_who_was_asked_how_much(interlock: Interlock, small: Path):
    answer = json.loads(interlock("verify", small, "--json").stdout)
    assert answer["proved"] is True
    assert answer["findings"] == []
    assert (answer["packages"], answer["pairs"]) == (8, 8)
    assert {row["format"] for row in answer["asked"]} == {"deb", "rpm"}
    assert all(row["questions"] for row in answer["asked"])


def naive(directory: Path) -> Path:
    """What somebody writes by hand: a dependency on the schema, and nothing looks back."""
    for number, schema in ((0, 10), (1, 11)):
        version = f"1.{number}.0"
        plain_deb(directory, "demo-server", f"{version}-1", Depends=f"demo-schema (>= {schema})")
        plain_deb(directory, "demo-database", f"{version}-1", Provides=f"demo-schema (= {schema})")
    return directory


def test_a_naive_pair_is_told_what_is_wrong(interlock: Interlock, product: Path, tmp_path: Path):
    debs = naive(tmp_path / "naive")
    unknown = interlock("verify", debs)
    assert unknown.returncode == 2
    assert "none carries a release.json" in unknown.stderr
    assert "--product" in unknown.stderr
    run = interlock("verify", debs, "--product", product)
    assert run.returncode == 1
    assert "any one shard satisfies a dependency, a conflict binds every shard" in run.stdout
    assert "is not protected" in run.stdout
    assert "server 1.1.0 with shard at schema 10" in run.stdout


def test_packages_of_other_names_are_found_by_options(
    interlock: Interlock, product: Path, tmp_path: Path
):
    for number, schema in ((0, 10), (1, 11)):
        version = f"1.{number}.0"
        plain_rpm(tmp_path / "r", "app", version, Conflicts=f"app-db-level < {schema}")
        plain_rpm(
            tmp_path / "r",
            "app-db",
            version,
            Provides=f"app-db-level = {schema}",
            Conflicts="app < 1.0.0",
        )
    names = ("--server", "app", "--database", "app-db", "--schema", "app-db-level")
    assert interlock("verify", tmp_path / "r", "--product", product).returncode == 2
    run = interlock("verify", tmp_path / "r", "--product", product, *names)
    kinds = {line.partition(":")[0] for line in run.stdout.splitlines()}
    # They hold the law by hand; what they lack is protection.
    assert kinds <= {"protection", "transition"}
    assert "protection" in kinds
    alone = interlock("verify", tmp_path / "r", *names)
    assert alone.returncode == 2
    assert "--product" in alone.stderr


def test_packages_of_nfpm_are_read(interlock: Interlock, product: Path, tmp_path: Path):
    nfpm = Path(sys.executable).parent / "nfpm"
    out = tmp_path / "out"
    out.mkdir()
    for role, extra in (
        ("server", {"depends": ["demo-schema (>= 11)"]}),
        ("database", {"provides": ["demo-schema (= 11)"]}),
    ):
        shape = {
            "name": f"demo-{role}",
            "arch": "all",
            "version": "1.1.0",
            "release": "1",
            "maintainer": "Nobody <nobody@example.org>",
            "description": "a sample",
            **extra,
        }
        config = tmp_path / f"{role}.yaml"
        config.write_text(json.dumps(shape))
        argv = (str(nfpm), "package", "--config", str(config), "--packager", "deb")
        subprocess.run((*argv, "--target", str(out)), check=True, capture_output=True)
    run = interlock("verify", out, "--product", product)
    assert run.returncode == 1
    assert "lacks 'Conflicts: demo-schema < 11'" in run.stdout


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.deb", b"!<arch>\nnonsense", "is damaged: "),
        ("broken.rpm", b"\xed\xab\xee\xdb" + b"\0" * 200, "is damaged: "),
        ("note.txt", b"hello", "is no deb and no rpm"),
    ],
)
def test_what_is_no_whole_package_is_one_sentence(
    interlock: Interlock, tmp_path: Path, name: str, content: bytes, words: str
):
    (tmp_path / name).write_bytes(content)
    run = interlock("verify", tmp_path / name)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path: Path):
    """Whoever reads a FIFO waits for a writer, who may never come."""

    def verify(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (sys.executable, "-m", "toolchain", "verify", str(path)),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    for name in ("fifo", "socket", "device", "directory", "link"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "fifo/a.deb")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket/a.rpm"))
    (tmp_path / "device/a.deb").symlink_to("/dev/null")
    (tmp_path / "directory/a.deb").mkdir()
    (tmp_path / "link/a.deb").symlink_to(tmp_path / "nowhere")
    for path, words in (
        ("fifo", "fifo/a.deb is a FIFO and no regular file"),
        ("fifo/a.deb", "fifo/a.deb is a FIFO and no regular file"),
        ("socket", "socket/a.rpm is a socket and no regular file"),
        ("device", "device/a.deb is a device and no regular file"),
        ("directory", "directory/a.deb is a directory and no regular file"),
        ("link", "link/a.deb can't be read: No such file or directory"),
    ):
        run = verify(tmp_path / path)
        assert run.returncode == 2, path
        assert words in run.stderr
        assert len(run.stderr.splitlines()) == 1


def test_directories_without_packages_and_missing_paths_are_one_sentence(
    interlock: Interlock, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    for path, words in (("empty", "holds no deb and no rpm"), ("nothing", "does not exist")):
        run = interlock("verify", path)
        assert run.returncode == 2
        assert words in run.stderr
        assert len(run.stderr.splitlines()) == 1


def test_a_lone_half_is_one_sentence(interlock: Interlock, small: Path):
    run = interlock("verify", small / "demo-server_1.1.0-1_all.deb")
    assert run.returncode == 2
    assert "stands alone" in run.stderr


def test_a_witness_that_can_say_nothing_is_one_sentence(
    interlock: Interlock, small: Path, tmp_path: Path
):
    debs = shelf(small, tmp_path / "debs")
    run = interlock("verify", debs, "--witness", "dnf")
    assert run.returncode == 2
    assert "no rpm is here" in run.stderr
    run = interlock("verify", debs, "--apt-root", tmp_path)
    assert run.returncode == 4
    assert "holds no apt-get" in run.stderr


def test_an_interrupted_verification_leaves_nothing(packages: Path, tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        (sys.executable, "-m", "toolchain", "verify", str(packages), "--all-pairs"),
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not appeared(scratch, "*/apt-*/*/Packages") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip().startswith("interlock: interrupted")
    assert not list(scratch.iterdir())


def test_nothing_is_left_in_the_temporary_directory(
    interlock: Interlock, small: Path, tmp_path: Path
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert interlock("verify", small, TMPDIR=str(scratch)).returncode == 0
    assert not list(scratch.iterdir())
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_verify_works_where_packages_have_odd_names(
    interlock: Interlock, small: Path, tmp_path: Path
):
    odd = tmp_path / "a b [1]*"
    odd.mkdir()
    for number, package in enumerate(sorted(small.glob("*.[dr][ep][bm]"))):
        shutil.copy(package, odd / f"-%d {number}[x]?{package.suffix}")
    run = interlock("verify", odd)
    assert run.returncode == 0, run.stdout + run.stderr
