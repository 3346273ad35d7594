"""`interlock publish` as a user runs it: real keys, real proof, exit codes and sentences."""

import json
import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import Interlock
from tests.samples import write_product
from tests.signing import Keys
from tests.verify_samples import build, repack
from toolchain.cli.publish.answer import print_files
from toolchain.importer.stand_in import stand_in


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
    def publish(*words: object) -> "CompletedProcess[str]":
        place = ("--repository", "repo", "--key", key)
        return interlock("publish", *words, *place, GNUPGHOME=str(signing.home))

    first = [path for path in packages.iterdir() if "1.0.0-1" in path.name]
    begun = publish("add", *first, "--channel", "stable", "--url", "https://p.example.com")
    assert begun.returncode == 0, begun.stderr
    assert "stable: added demo-server_1.0.0-1_all.deb\n" in begun.stdout
    assert "valid until" in begun.stderr
    (offered,) = (tmp_path / "repo/rpm/packages").glob("demo-server-*.rpm")
    question = ("rpm", "-qp", "--nosignature", "--queryformat=%{RSAHEADER:pgpsig}", offered)
    assert key[-16:].lower() in subprocess.check_output(question, text=True)
    done = publish("add", packages, "--channel", "candidate", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["added"]["candidate"]) == 8
    # A channel that is new is one more that clients have to be set up for.
    assert set(answer["channels"]) == set(answer["signed"]) == {"candidate", "stable"}
    done = publish("promote", "1.1.0", "--from", "candidate", "--channel", "stable")
    assert done.stdout.count("stable: added") == 4, done.stderr
    again = publish("add", packages, "--channel", "stable")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "nothing is new: everything stays as it is\n"
    pruned = publish("prune", "--keep", "1", "--channel", "stable", "--dry-run")
    assert pruned.stdout.startswith("stable: 1.1.0 stays: it is the newest\nstable: 1.0.0 would go")
    assert pruned.stderr.endswith("stable: indexes would be signed anew\n")
    withdrawn = publish("withdraw", "1.1.0", "--reason", "loses data", "--channel", "stable")
    assert withdrawn.stdout.count("stable: removed") == 4, withdrawn.stderr
    back = publish("add", packages, "--channel", "stable")
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
    done = interlock("publish", "add", bad, *options, "--key", key, GNUPGHOME=str(signing.home))
    assert done.returncode == 1
    assert "relation: " in done.stderr
    assert "the packages of stable are not proved" in done.stderr
    assert not (tmp_path / "repo/deb").exists()


def test_a_stand_in_for_a_program_is_not_published(interlock: Interlock, tmp_path: Path) -> None:
    """In neither format, and no more once the file is the program."""
    product = write_product(tmp_path / "demo", 1)
    program = product / "payload/demo-web"
    program.write_text(f"{stand_in('demo-web')[1].text}# ours now?\n")

    def publish() -> "CompletedProcess[str]":
        packages = build(product, tmp_path / "dist")
        options = ("--channel", "stable", "--url", "https://p.example.com", "--dry-run")
        return interlock("publish", "add", packages, "--repository", "repo", *options)

    refused = publish()
    assert refused.returncode == 1
    said = [line for line in refused.stderr.splitlines() if line.startswith("stand-in: ")]
    assert {Path(line.split(": ")[1]).suffix for line in said} == {".deb", ".rpm"}
    assert all("/usr/bin/demo-web is the stand-in" in line for line in said)
    assert "the packages of stable are not proved" in refused.stderr
    program.write_text("#!/bin/sh\nexec sleep infinity\n")
    assert publish().returncode == 0


PROMOTE = ("promote", "1.0.0", "--channel", "stable")
WITHDRAW = ("withdraw", "1.0.0", "--channel", "stable")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prune",), "a rule says what is kept"),
        ((*PROMOTE, "--from", "../x"), "is no name of a channel"),
        ((*WITHDRAW, "--reason", " "), "a withdrawal has a reason"),
        ((*WITHDRAW, "--reason", "two\nlines"), "a withdrawal has a reason"),
        (("withdraw", "1.0", "--channel", "s", "--reason", "x"), "is not a version"),
        (("refresh", "--channel", "../x"), "is no name of a channel"),
        (("refresh", "--dry-run"), "nothing is published there yet; begin with 'interlock publish"),
        (("refresh", "--valid", "1y"), "--valid 1y is no time"),
        (("refresh", "--url", "ftp://x"), "is no address"),
        (("refresh", "--force"), "name the key with --drop-key"),
        (("refresh", "--channel", "stable", "--drop-key", "A"), "leave --channel out"),
        (("refresh",), "no key to sign with is named; give --key"),
        (("refresh", "--key-file", "nokey"), "No such file or directory; name one that is there"),
        (("refresh", "--url", "a.example"), "of a repository; write https://HOST or https://HOST"),
        (("add", "missing.deb", "--channel", "stable", "--dry-run"), "missing.deb does not exist"),
    ],
)
def test_what_is_wrong_is_said(interlock: Interlock, words: tuple[str, ...], said: str) -> None:
    done = interlock("publish", *words, "--repository", "repo")
    assert done.returncode == 2, done
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        ((".", "--channel", "stable"), "add PACKAGE..."),
        (("a.deb", "b.rpm", "--channel", "stable"), "add PACKAGE..."),
        (("--channel", "stable", "a.deb"), "add PACKAGE..."),
        (("--promote", "1.0.0", "--from", "candidate", "--channel", "stable"), "promote RELEASE"),
        (("--channel=stable", "--withdraw=1.0.0", "--reason", "x"), "withdraw RELEASE"),
        (("--prune", "--keep", "2"), "prune"),
        (("--repository", "repo", "--refresh"), "refresh"),
    ],
)
def test_packages_and_options_in_the_place_of_a_deed_are_told_where_they_go(
    interlock: Interlock, words: tuple[str, ...], begin: str
) -> None:
    done = interlock("publish", *words)
    assert done.returncode == 2
    assert f"not with {words[0]}; write 'interlock publish {begin}' with" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_deed_that_is_spelt_wrongly_is_told_by_its_name(interlock: Interlock) -> None:
    done = interlock("publish", "promot", "1.0.0")
    assert done.returncode == 2
    assert "there is no command 'promot'; did you mean promote?" in done.stderr


def test_a_repository_that_is_not_there_is_not_made_by_a_slip(
    interlock: Interlock, signing: Keys, tmp_path: Path
) -> None:
    done = interlock(
        "publish", "refresh", "--repository", "rpeo", "--key", signing.make("slip"),
        GNUPGHOME=str(signing.home),
    )  # fmt: skip
    assert done.returncode == 2
    assert "nothing is published there yet; begin with 'interlock publish add'" in done.stderr
    assert not (tmp_path / "rpeo").exists()


def test_a_key_that_ends_soon_is_told(interlock: Interlock, packages: Path, signing: Keys) -> None:
    ending = signing.make("ending", algorithm="rsa2048", expires="20d")
    done = interlock(
        "publish", "refresh", "--repository", "repo", "--key", ending,
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
    print_files("stable: added", names)
    said = capsys.readouterr().out.splitlines()
    assert (len(said), said[-1]) == (lines, last)
