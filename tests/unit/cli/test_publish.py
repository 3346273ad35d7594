"""`interlock publish` as a user runs it: real keys, real proof, exit codes and sentences."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Interlock
from tests.samples import write_product
from tests.signing import Keys
from tests.verify_samples import build, repack
from toolchain.cli.publish_text import print_outcome
from toolchain.publish.run import Outcome


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    return build(write_product(directory / "specs", 2), directory / "dist")


@pytest.fixture(scope="module")
def key(signing: Keys) -> str:
    return signing.make("shop", algorithm="rsa2048")


def test_a_life_of_a_repository(
    interlock: Interlock, packages: Path, signing: Keys, key: str, tmp_path: Path
) -> None:
    common = ("--repository", "repo", "--key", key)
    environment = {"GNUPGHOME": str(signing.home)}
    first = [path for path in packages.iterdir() if "1.0.0-1" in path.name]
    begun = interlock(
        "publish", *first, "--channel", "stable", "--url", "https://p.example.com", *common,
        **environment,
    )  # fmt: skip
    assert begun.returncode == 0, begun.stderr
    assert "stable: added demo-server_1.0.0-1_all.deb\n" in begun.stdout
    assert "valid until" in begun.stderr
    done = interlock(
        "publish", packages, "--channel", "candidate", "--json", *common, **environment
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["added"]["candidate"]) == 8
    done = interlock(
        "publish", "--promote", "1.1.0", "--from", "candidate", "--channel", "stable", *common,
        **environment,
    )  # fmt: skip
    assert done.stdout.count("stable: added") == 4, done.stderr
    again = interlock("publish", packages, "--channel", "stable", *common, **environment)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "nothing is new: everything stays as it is\n"
    rule = ("--prune", "--keep", "1", "--channel", "stable", "--dry-run")
    pruned = interlock("publish", "--repository", "repo", *rule)
    assert pruned.stdout.startswith("stable: 1.1.0 stays: it is the newest\nstable: 1.0.0 would go")
    reason = ("--withdraw", "1.1.0", "--reason", "loses data", "--channel", "stable")
    withdrawn = interlock("publish", *reason, *common, **environment)
    assert withdrawn.stdout.count("stable: removed") == 4, withdrawn.stderr
    back = interlock("publish", packages, "--channel", "stable", *common, **environment)
    assert back.returncode == 1
    assert "1.1.0 was withdrawn from stable: loses data" in back.stderr
    # What holds the key's secret is nowhere in the repository.
    for path in (tmp_path / "repo").rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes()


def test_what_verify_does_not_prove_is_not_published(
    interlock: Interlock, packages: Path, signing: Keys, key: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in packages.glob("*_1.1.0-1_all.deb*"):
        shutil.copy(path, bad)
    name = "demo-server_1.1.0-1_all.deb"
    repack(packages / name, bad, lambda text: text.replace("(<< 11)", "(<< 9)"))
    options = ("--channel", "stable", "--repository", "repo", "--url", "https://p.example.com")
    done = interlock("publish", bad, *options, "--key", key, GNUPGHOME=str(signing.home))
    assert done.returncode == 1
    assert "relation: " in done.stderr
    assert "the packages of stable are not proved" in done.stderr
    assert not (tmp_path / "repo/deb").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "nothing is asked for; name packages"),
        (("--refresh", "--prune", "--keep", "2"), 2, "--prune and --refresh is asked for"),
        (("--refresh", "--keep", "2"), 2, "--keep belongs to --prune"),
        (("--prune",), 2, "a rule says what is kept"),
        (("--promote", "1.0.0"), 2, "no channel is named"),
        (("--promote", "1.0.0", "--channel", "stable"), 2, "name it with --from"),
        (("--withdraw", "1.0.0", "--channel", "stable"), 2, "a withdrawal has a reason"),
        (("--withdraw", "1.0", "--channel", "s", "--reason", "x"), 2, "is not a version"),
        (("--refresh", "--channel", "../x"), 2, "is no name of a channel"),
        (("--refresh", "--dry-run"), 2, "nothing is published there yet"),
        (("--refresh", "--valid", "1y"), 2, "--valid 1y is no time"),
        (("--refresh", "--url", "ftp://x"), 2, "is no address"),
        (("--refresh",), 2, "no key to sign with is named; give --key"),
        (("missing.deb", "--channel", "stable", "--dry-run"), 2, "missing.deb does not exist"),
    ],
)
def test_what_is_wrong_is_said(
    interlock: Interlock, words: tuple[str, ...], code: int, said: str
) -> None:
    done = interlock("publish", "--repository", "repo", *words)
    assert done.returncode == code, done
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_key_that_ends_soon_is_told(interlock: Interlock, packages: Path, signing: Keys) -> None:
    ending = signing.make("ending", algorithm="rsa2048", expires="20d")
    done = interlock(
        "publish", "--refresh", "--repository", "repo", "--key", ending,
        GNUPGHOME=str(signing.home),
    )  # fmt: skip
    assert "warning: a signing key expires in 19 days" in done.stderr
    assert "name its successor with a second --key" in done.stderr


@pytest.mark.parametrize(
    ("count", "terminal", "lines", "last"),
    [
        (10, True, 20, "stable: added b9.rpm"),
        (21, False, 42, "stable: added b20.rpm"),
        (21, True, 1, "stable: added 21 debs and 21 rpms; --json names them"),
    ],
)
def test_many_packages_do_not_fill_a_terminal(
    count: int,
    terminal: bool,
    lines: int,
    last: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = (*(f"a{n}.deb" for n in range(count)), *(f"b{n}.rpm" for n in range(count)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    print_outcome(Outcome(arriving={"stable": names}), dry_run=False)
    said = capsys.readouterr().out.splitlines()
    assert (len(said), said[-1]) == (lines, last)
