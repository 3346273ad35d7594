"""`interlock init` writes a product without problems, whole or not at all."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Interlock
from toolchain.edge.directory import Directory, NewFile, create_directory
from toolchain.errors import OutputError
from toolchain.spec import load_product


def test_what_it_writes_has_no_problems(interlock: Interlock, tmp_path: Path) -> None:
    run = interlock("init", "shop")
    assert (run.returncode, run.stdout) == (0, "shop holds the product shop\n")
    product = load_product(Directory(tmp_path / "shop"), {})
    assert [str(release.version) for release in product.releases] == ["1.0.0"]
    assert interlock("check", "shop").returncode == 0


@pytest.mark.parametrize("name", ["ab", "my-shop", "a" * 41, "a" * 30 + "-" + "b" * 10])
def test_every_name_is_good_for_it(interlock: Interlock, tmp_path: Path, name: str) -> None:
    assert interlock("init", "x y", "--name", name).returncode == 0
    assert load_product(Directory(tmp_path / "x y"), {}).name == name


def test_it_is_as_others_find_it(interlock: Interlock, tmp_path: Path) -> None:
    interlock("init", "shop")
    shop = tmp_path / "shop"
    assert stat.S_IMODE((shop / "payload/shop-web").stat().st_mode) == 0o755
    assert stat.S_IMODE((shop / "product.yaml").stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_the_program_runs(interlock: Interlock, tmp_path: Path) -> None:
    interlock("init", "shop")
    program = tmp_path / "shop/payload/shop-web"
    run = subprocess.run(
        (sys.executable, "-I", program, "--version"), capture_output=True, text=True, check=True
    )
    assert run.stdout == "1.0.0\n"


@pytest.mark.parametrize(("spec", "kind"), [("product", "product"), ("1.0.0", "release")])
def test_editors_find_the_schemas(
    interlock: Interlock, tmp_path: Path, spec: str, kind: str
) -> None:
    interlock("init", "shop")
    first = (tmp_path / f"shop/{spec}.yaml").read_text().splitlines()[0]
    marker, _, path = first.partition("$schema=")
    assert marker == "# yaml-language-server: "
    schema = (tmp_path / "shop" / path).read_text()
    assert json.loads(schema)["title"] == f"Interlock {kind}"
    assert schema == interlock("schema", kind).stdout


@pytest.mark.parametrize("there", ["file", "directory", "link"])
def test_nothing_is_overwritten(interlock: Interlock, tmp_path: Path, there: str) -> None:
    match there:
        case "file":
            (tmp_path / "shop").write_text("mine")
        case "directory":
            (tmp_path / "shop").mkdir()
            (tmp_path / "shop/mine").touch()
        case _:
            (tmp_path / "shop").symlink_to("elsewhere")
    run = interlock("init", "shop")
    assert run.returncode == 5
    assert "shop is there already, and nothing is overwritten" in run.stderr
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_directory_is_as_good_as_none(interlock: Interlock, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert interlock("init", "shop").returncode == 0


def test_the_current_directory_is_not_replaced(interlock: Interlock) -> None:
    run = interlock("init", ".", "--name", "shop")
    assert run.returncode == 5
    assert "name a directory that does not exist yet" in run.stderr


@pytest.mark.parametrize("name", ["My Shop", "x", "shop\n", "../x", "{{ 7 }}", "-x", "a-shard-x"])
def test_names_that_no_package_can_have(interlock: Interlock, tmp_path: Path, name: str) -> None:
    run = interlock("init", "shop", f"--name={name}")
    assert run.returncode == 2
    assert "is not a product name; give one with --name" in run.stderr
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    files = [NewFile(path="a", text="x"), NewFile(path="a/b", text="x")]
    with pytest.raises(OutputError):
        create_directory(tmp_path / "shop", files)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        create_directory(Path("/proc/shop"), [])
