"""Every slip on the command line is one sentence with its cure, click's own ones too."""

from pathlib import Path

import click
import pytest

from toolchain.cli.main import interlock
from toolchain.cli.usage import require_values, usage_error
from toolchain.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/product.yaml").touch()
    (tmp_path / "fleet.yaml").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("chek shop", "there is no command 'chek'; did you mean check?"),
        ("explain pear", "there is no command 'pear'; did you mean pair?"),
        ("check --jsn shop", "there is no option '--jsn'; did you mean --json?"),
        ("check --frob shop", "there is no option '--frob'; see interlock check --help"),
        ("check", "PRODUCT is missing; write: interlock check [OPTIONS] PRODUCT"),
        ("verify", "PATH is missing; write: interlock verify [OPTIONS] PATH..."),
        ("capture", "--dsn is missing; give --dsn TEXT"),
        ("check shop more", "'more' is more than the command takes; write: interlock check"
         " [OPTIONS] PRODUCT"),
        ("build shop --output", "--output needs a value; give one: --output VALUE"),
        ("check shop --policy=yes", "--policy takes no value; leave it out"),
        ("check --format jsn shop", "--format has no 'jsn'; did you mean json?"),
        ("schema colour", "KIND has no 'colour'; give one of product, release, inventory"),
        ("explain pair shop 1.0.0 x", "SCHEMA cannot be 'x'; give a whole number"),
        ("plan fleet.yaml", "PRODUCT: 'fleet.yaml' is a file; name a product's directory"),
        ("simulate shop --servers 0", "--servers cannot be 0; give a whole number from 1 to 100000"),
        ("simulate shop --steps 0", "--steps cannot be 0; give a whole number, at least 1"),
        ("check nope", "PRODUCT: 'nope' does not exist; name one that is there"),
        ("check \x1b[31m", "PRODUCT: '\\x1b[31m' does not exist; name one that is there"),
        ("plan shop --inventory shop", "--inventory: 'shop' is a directory; name a file"),
        ("build shop --output shop/product.yaml",
         "--output: 'shop/product.yaml' is a file; name a directory"),
        ("check shop/product.yaml",
         "PRODUCT: 'shop/product.yaml' is a file; name its directory, 'shop'"),
    ],
)  # fmt: skip
def test_click_says_it_as_we_do(line: str, sentence: str) -> None:
    with pytest.raises(click.UsageError) as slip:
        interlock.main(line.split(" "), prog_name="interlock", standalone_mode=False)
    assert str(usage_error(slip.value)) == sentence


def test_a_release_in_the_place_of_a_schema_is_told() -> None:
    with pytest.raises(UsageError, match=r"^1\.1\.0 is a release; give its schema"):
        interlock.main(["explain", "pair", "shop", "1.0.0", "1.1.0"], standalone_mode=False)


def test_a_command_that_nobody_knows_is_answered_by_all() -> None:
    with pytest.raises(click.UsageError) as slip:
        interlock.main(["frobnicate"], prog_name="interlock", standalone_mode=False)
    assert usage_error(slip.value).cure.startswith("there is init, import, check, build")


@pytest.mark.parametrize("arguments", [["check", ""], ["build", "shop", "--output="]])
def test_an_empty_place_is_not_the_current_directory(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="is empty; give it"):
        require_values(arguments)


def test_the_environment_may_say_where_the_database_is() -> None:
    require_values(["capture", "--dsn", ""])
    require_values(["capture", "--dsn="])
