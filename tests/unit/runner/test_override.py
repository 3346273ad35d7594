"""The emergency override: who, why and until when, and never longer than that."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain.runner.server import override
from toolchain.runner.server.override import Override, active_override

Run = Callable[..., int]


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def run(tmp_path: Path, log: list[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "kim")

    def run(*arguments: str) -> int:
        return override.main(
            program="demo-server",
            config="/etc/demo-server/shards.ini",
            arguments=("override", *arguments),
            file=tmp_path / "run/override",
            log=log.append,
        )

    return run


def test_its_life(
    run: Run, tmp_path: Path, log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run/override"
    assert run("--active") == 1
    earliest = int(time.time()) + 300
    assert run("--reason", "shard north burns", "--for", "5m") == 0
    assert "for 5 min the hook lets transactions through" in capsys.readouterr().out
    found = active_override(file)
    assert found is not None
    assert earliest <= found.until <= time.time() + 301
    assert (found.who, found.reason) == ("kim", "shard north burns")
    assert log == [f"the hook is {found}"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert run("--active") == 0
    assert run("--end") == 0
    assert (run("--active"), log[1]) == (1, "kim ended the override by kim")
    assert run("--end") == 0
    assert len(log) == 2


def test_it_ends_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "override"
    file.write_text(f"{int(time.time()) - 1}\nkim\nwhy\n")
    assert active_override(file) is None
    for text in ("", "soon\nkim\nwhy\n", "1\n"):
        file.write_text(text)
        assert active_override(file) is None
    until = int(time.time()) + 600
    file.write_text(f"{until}\nkim\nwhy\n")
    assert active_override(file) == Override(until, "kim", "why")


def test_nobody_elses_word_counts(tmp_path: Path) -> None:
    file = tmp_path / "override"
    file.write_text(f"{int(time.time()) + 60}\nkim\nwhy\n")
    os.chown(file, 65534, 65534)
    assert active_override(file) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "one of the arguments --reason --end --active is required"),
        (("--reason", " "), "a reason is one line of at most 200 characters"),
        (("--reason", "a\nb"), "a reason is one line of at most 200 characters"),
        (("--reason", "why", "--for", "2d"), "'2d' is out of range: 1s to 1d"),
        (("--reason", "why", "--for", "long"), "'long' is not a duration"),
    ],
)
def test_usage(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert run(*arguments) == 2
    assert sentence in capsys.readouterr().err


def test_only_root(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run("--reason", "why") == 2
    assert "only root overrides the hook; run it with sudo" in capsys.readouterr().err
