"""Progress: a live table on a terminal, plain lines elsewhere, and nothing that steers either."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, release
from tests.postgres.runner.test_signals import SLOW_MARK
from toolchain.runner.core.duration import parse_duration, spell_duration
from toolchain.runner.database.story import Story, spell_activity
from toolchain.runner.phases.activity import Activity
from toolchain.runner.phases.pace import BatchSize, Meter, rest

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


def screen(output: bytes) -> list[list[str]]:
    """The frames that a terminal showed: each time what stands since the last wipe."""
    frames: list[list[str]] = []
    lines: list[str] = []
    for part in re.split(r"(\x1b\[\d+A\x1b\[J)", output.decode().replace("\r\n", "\n")):
        if match := re.fullmatch(r"\x1b\[(\d+)A\x1b\[J", part):
            frames.append(list(lines))
            del lines[len(lines) - int(match[1]) :]
        else:
            assert "\x1b" not in part
            lines += part.splitlines()
    return [*frames, lines]


def test_on_a_terminal(make_package: MakePackage, database: "Database") -> None:
    package = make_package(CHAIN[0], release("1.1.0", 2, SLOW_MARK), settings="batch_time = 50ms")
    package.done("apply", "--to", "1.0.0")
    database.execute("ANALYZE host")
    package.shards["south"] = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"
    package.write()
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    process = package.start(
        "apply", stderr=follower, stdin=follower, stdout=subprocess.DEVNULL, env=dict(os.environ)
    )
    os.close(follower)
    output = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(leader)
    assert process.wait(10) == 4
    frames = screen(output)
    assert any("1 of 2 shards finished, 1 failed" in frame for frame in frames)
    live = [line for frame in frames for line in frame if "rows/s" in line]
    assert re.match(
        r"north  \[#+\.+\] mark\.migrate \(1\.1\.0\), \d+ rows, about \d+ %, \d+ rows/s, about",
        live[len(live) // 2],
    )
    assert all(len(line) < 90 for frame in frames for line in frame[-3:] if "rows/s" in line)
    assert frames[-1][0] == "north: migrate mark.migrate (1.1.0), then schema 2 is ready"
    assert frames[-1][1].startswith("south: cannot connect: ")


def test_plain_lines() -> None:
    stream = StringIO()
    story = Story(stream, live=False)
    with story.shown():
        story.expect(1)
        teller = story.teller("north")
        teller.show(Activity("step", 10, 100, 5.0, 18.0))
        teller.say("a line\nthat \x1b[2Jsteers")
    assert stream.getvalue() == "north: a line that ?[2Jsteers\n"


def test_activities_in_words() -> None:
    activity = Activity("split.migrate (4.1.0)", 410_000, 1_000_000, 20_500.4, 28.7)
    assert spell_activity(activity) == (
        "split.migrate (4.1.0), 410000 rows, about 41 %, 20500 rows/s, about 29 s left"
    )
    assert spell_activity(Activity("x", 12, 10)) == "x, 12 rows, about 99 %"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.4, "12 s"), (60, "1 min"), (3671, "1 h 1 min"),
     (7200, "2 h"), (90_061, "1 d 1 h"), (86_460, "1 d")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert spell_duration(seconds) == words


def test_reading_durations() -> None:
    assert [parse_duration(text) for text in ("200ms", "1.5 s", "2min", "1h", "1d")] == [
        0.2, 1.5, 120, 3600, 86400,
    ]  # fmt: skip


def test_batches_grow_to_their_time_and_shrink() -> None:
    size = BatchSize(0.2, None)
    for _ in range(20):
        size.learn(size.rows, size.rows / 20_000)
    assert 3_500 <= size.rows <= 4_500
    for _ in range(20):
        size.learn(size.rows, size.rows / 500)
    assert 90 <= size.rows <= 110
    size.shrink()
    assert 45 <= size.rows <= 55
    before = size.rows
    size.learn(1, 0.001)
    assert size.rows == before


def test_a_wished_rate() -> None:
    size = BatchSize(0.2, 10)
    assert size.rows == 5
    assert rest(5, 0.1, 10, 0) == pytest.approx(0.4)
    assert rest(5, 0.9, 10, 0.05) == 0.05


def test_rate_and_time_left() -> None:
    meter = Meter(1000, 2000, 100.0)
    assert (meter.rate, meter.left) == (None, None)
    meter.add(100, 101.0)
    assert (meter.rate, meter.left) == (100.0, 9.0)
    for second in range(102, 200):
        meter.add(10, float(second))
    assert meter.rate == pytest.approx(10, rel=0.05)
    assert Meter(5, None, 0).left is None
