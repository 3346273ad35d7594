"""The shell between apt and the command that asks: closed for our packages, open for all others."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.verify_samples import plain_deb
from toolchain.edge.resources import TemplateFiles, packaging_directory
from toolchain.render.templates import Templates

PACKAGE = SimpleNamespace(name="demo-server", product="demo")
CACHE = "/var/cache/apt/archives"
SERVER = f"demo-server 1.0.0-1 all none < 1.1.0-1 all none {CACHE}/demo-server_1.1.0-1_all.deb"
OTHER = f"other - - none < 1.0 all none {CACHE}/other_1.0_all.deb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: int
    words: str
    log: str


Hook = Callable[..., Answer]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the scripts think that the system is; its command answers as the tests say."""
    templates = Templates(TemplateFiles((packaging_directory(),)))
    for name, template in (("apt-hook", "deb/apt-hook.j2"), ("ask-hook", "common/ask-hook.j2")):
        text = templates.render(template, package=PACKAGE)
        for place in ("/usr/lib/demo-server", "/usr/bin/demo-server", "/run/demo-server"):
            text = text.replace(place, f"{tmp_path}{place}")
        text = text.replace("PATH=", f"PATH={tmp_path}/bin:", 1).replace("=5 90", "=1 1")
        write(tmp_path / f"usr/lib/demo-server/{name}", text)
    write(tmp_path / "bin/logger", f'#!/bin/sh\nprintf "%s\\n" "$6" >>{tmp_path}/log\n')
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def hook(root: Path) -> Hook:
    """Ask apt's hook about lines of its protocol, before a command of the given text."""

    def hook(*lines: str, command: str = "exit 0", protocol: str = "VERSION 3") -> Answer:
        write(
            root / "usr/bin/demo-server",
            f"#!/bin/sh\ncat >{root}/asked\n{command}\n",
        )
        for name in ("asked", "log"):
            (root / name).unlink(missing_ok=True)
        configuration = "".join(f"APT::Option{n}=demo-server\n" for n in range(200))
        text = f"{protocol}\n{configuration}\n" + "".join(f"{line}\n" for line in lines)
        done = subprocess.run(
            (root / "usr/lib/demo-server/apt-hook",),
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""
        log = root / "log"
        return Answer(
            code=done.returncode, words=done.stderr, log=log.read_text() if log.exists() else ""
        )

    return hook


BROKEN = "echo Traceback >&2; exit 1"
DECLINED = "echo 'demo-server: 1.1.0 does not fit shard north' >&2; exit 1"


@pytest.mark.parametrize(
    "line",
    [
        OTHER,
        f"demo-server-tools - - none < 1.0 all none {CACHE}/demo-server-tools_1.0_all.deb",
        f"demo - - none < 1.0 all none {CACHE}/demo-server_1.0_all.deb",
        "demo-server 1.1.0-1 all none = 1.1.0-1 all none **CONFIGURE**",
        "demo-server 1.1.0-1 all none > - - none **REMOVE**",
        "demo-database 1.1.0-1 all none > - - none **REMOVE**",
    ],
)
def test_others_do_not_wait(hook: Hook, root: Path, line: str) -> None:
    assert hook(line, command=BROKEN) == Answer(code=0, words="", log="")
    assert not (root / "asked").exists()


@pytest.mark.parametrize(
    "line",
    [
        SERVER,
        f"demo-database - - none < 1.0 all none {CACHE}/x.deb",
        f"demo-shard-north - - none < 12 all none {CACHE}/x.deb",
        "demo-shard-north 11 all none > - - none **REMOVE**",
    ],
)
def test_ours_are_asked_about(hook: Hook, root: Path, line: str) -> None:
    assert hook(OTHER, line) == Answer(code=0, words="", log="")
    assert line in (root / "asked").read_text()
    refused = hook(OTHER, line, command=DECLINED)
    assert (refused.code, refused.words) == (1, "demo-server: 1.1.0 does not fit shard north\n")
    assert refused.log == ("refused a transaction: demo-server: 1.1.0 does not fit shard north\n")


def test_a_note_is_passed_on(hook: Hook) -> None:
    assert hook(SERVER, command="echo 'demo-server: no shard yet' >&2").words == (
        "demo-server: no shard yet\n"
    )


def test_a_server_takes_its_shards_along(hook: Hook) -> None:
    lines = (
        "demo-shard-north 11 all none > - - none **REMOVE**",
        "demo-server 1.1.0-1 all none > - - none **REMOVE**",
    )
    assert hook(*lines, command=BROKEN).code == 0


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (BROKEN, "its command is broken (exit code 1), so nobody can be asked"),
        ("exit 127", "its command is broken (exit code 127)"),
        ("kill -9 $$", "did not answer within 90 seconds"),
        ("exec sleep 100", "did not answer within 90 seconds"),
        ("echo 'demo-server: shard north: cannot connect' >&2; exit 4", "cannot connect"),
    ],
)
def test_closed_where_nobody_can_be_asked(hook: Hook, command: str, sentence: str) -> None:
    answer = hook(SERVER, command=command)
    assert answer.code == 1
    assert sentence in answer.words.replace("demo-server: ", "")
    assert "Traceback" not in answer.words
    assert "run 'demo-server override --reason TEXT'" in answer.words
    assert sentence in answer.log


def test_closed_where_a_script_is_missing(hook: Hook, root: Path) -> None:
    (root / "usr/lib/demo-server/ask-hook").unlink()
    assert hook(OTHER).code == 0
    damaged = (
        "demo-server: its hook is damaged; install the package again with 'dpkg --install FILE'\n"
    )
    assert hook(SERVER) == Answer(code=1, words=damaged, log="")


def test_an_override_for_a_while(hook: Hook, root: Path) -> None:
    override = root / "run/demo-server/override"
    write(override, f"{int(time.time()) + 60}\nkim\nshard $(touch {root}/canary) burns\n")
    for command in (DECLINED, BROKEN):
        answer = hook(SERVER, command=command)
        assert answer.code == 0
        assert "demo-server: overridden by kim until" in answer.words
        assert answer.log.startswith("let a transaction through, overridden by kim (shard $(touch")
    assert not (root / "canary").exists()
    for text in (f"{int(time.time()) - 60}\nkim\nover\n", "", "x\nkim\nwhy\n", "99999999999\n"):
        write(override, text)
        assert hook(SERVER, command=DECLINED).code == 1


def test_an_apt_that_speaks_another_protocol(hook: Hook) -> None:
    files = (f"{CACHE}/other_1.0_all.deb", f"{CACHE}/demo-server_1.1.0-1_all.deb")
    assert hook(*files[:1], command=BROKEN, protocol="VERSION 2").code == 0
    assert hook(*files, command=BROKEN, protocol="VERSION 2").code == 1


def test_a_local_file_that_claims_the_schema(hook: Hook, root: Path, tmp_path: Path) -> None:
    claimant = plain_deb(tmp_path / "a b", "claimant", "1", Provides="x, demo-schema (= 99)")
    plain = plain_deb(tmp_path / "a b", "plain", "1", Provides="demo-schematic")
    line = "{0} - - none < 1 all none {1}"
    assert hook(line.format("plain", plain), command=BROKEN).code == 0
    refused = hook(line.format("claimant", claimant), command=DECLINED)
    assert (refused.code, (root / "asked").exists()) == (1, True)


def test_apt_finds_the_hook_and_passes_over_one_that_is_gone(root: Path) -> None:
    templates = Templates(TemplateFiles((packaging_directory(),)))
    text = templates.render("deb/apt-conf.j2", package=PACKAGE)
    text = text.replace("/usr/lib/demo-server", f"{root}/usr/lib/demo-server")
    (root / "apt.conf").write_text(text)
    keys = ("V1", "DPkg::Tools::Options::HOOK=" + f"{root}/usr/lib/demo-server/apt-hook::Version")
    told = subprocess.run(
        ("apt-config", "shell", *keys, "COMMAND", "DPkg::Pre-Install-Pkgs::"),
        env={**os.environ, "APT_CONFIG": str(root / "apt.conf")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "V1='3'" in told
    command = text.split('{ "')[1].split('"; }')[0]
    write(root / "usr/lib/demo-server/apt-hook", "#!/bin/sh\nexit 7\n")
    assert subprocess.run(("sh", "-c", command), check=False).returncode == 7
    (root / "usr/lib/demo-server/apt-hook").unlink()
    assert subprocess.run(("sh", "-c", command), check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("exit 0", ""),
        (DECLINED, "stop=demo-server: 1.1.0 does not fit shard north\n"),
        (BROKEN, "stop=demo-server: its command is broken (exit code 1)"),
    ],
)
def test_what_dnf_5_is_told(root: Path, tmp_path: Path, command: str, told: str) -> None:
    templates = Templates(TemplateFiles((packaging_directory(),)))
    text = templates.render("rpm/dnf5-hook.j2", package=PACKAGE)
    write(root / "dnf5-hook", text.replace("/usr/lib/demo-server", f"{root}/usr/lib/demo-server"))
    write(root / "usr/bin/demo-server", f"#!/bin/sh\ncat >{root}/asked\n{command}\n")
    write(tmp_path / "a b.rpm", "")
    package = ("demo-server", "1.1.0", "1", "noarch")
    argv = (root / "dnf5-hook", *package, tmp_path / "a b.rpm")
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(told)
    assert done.stdout.count("\n") == bool(told)
    assert (root / "asked").read_text() == f"demo-server 1.1.0-1 {tmp_path}/a b.rpm\n"
    nowhere = subprocess.run(
        (root / "dnf5-hook", *package, "packages/x.rpm"), capture_output=True, text=True, check=True
    )
    assert nowhere.stdout.startswith(
        "log.WARNING=demo-server: the file of demo-server was not found"
    )
