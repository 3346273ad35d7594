"""Removes all that a lab made, found by the lab's tag alone, so that nothing has to be told.

    python -m tests.hosts.sweep          remove what dead labs left
    python sweep.py keep DIRECTORY       the keeper of one lab

Every lab has a keeper: a process that waits until its standard input ends, which happens when
the lab is closed and also when the test process dies of whatever signal, and then sweeps the
lab. So only the death of the keeper itself (SIGKILL, a crash of the machine) leaves something:
processes in cgroups, mounts, network namespaces and a directory, all with the lab's tag in
their name. The first command removes them; a lab whose keeper lives is left alone.

This file runs without the package around it, on the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PREFIX = "interlock-lab-"
LOCK = "keeper.lock"
# Not the temporary directory of the moment: the labs of all runs have to be found.
BASE = Path("/var/tmp")
_TAG = re.compile(re.escape(PREFIX) + r"[0-9a-f]+")
_NAMESPACES = Path("/run/netns")
_PATIENCE = 60.0


def cgroup_roots() -> tuple[Path, ...]:
    """Find the hierarchies that say which host a process is of: version 2, and systemd's own."""
    roots = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, kind = line.partition(" - ")
        fstype, _, options = kind.split(" ", 2)
        if fstype == "cgroup2" or (fstype == "cgroup" and "name=systemd" in options):
            roots.append(Path(place.split(" ")[4]))
    return tuple(roots)


def mounts(tag: str) -> tuple[Path, ...]:
    """List the lab's mount points, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (line.split(" ")[4].encode().decode("unicode_escape") for line in lines)
    return tuple(Path(point) for point in reversed(list(points)) if tag in point)


def namespaces(tag: str) -> tuple[str, ...]:
    """List the names of the lab's network namespaces."""
    return tuple(sorted(path.name for path in _NAMESPACES.glob(f"{tag}*")))


def processes(tag: str, part: str = "") -> frozenset[int]:
    """List the processes of the lab's hosts; `part` is nspawn's `payload` or `supervisor`."""
    found: set[int] = set()
    for root in cgroup_roots():
        # os.walk passes over directories that vanish meanwhile, as those of dying services do.
        for directory, _, _ in os.walk(root / tag):
            path = Path(directory)
            if part in path.parts or not part:
                with contextlib.suppress(OSError):
                    found.update(map(int, (path / "cgroup.procs").read_text().split()))
    return frozenset(pid for pid in found if not _is_zombie(pid))


def leftovers(directory: Path) -> tuple[str, ...]:
    """Say, one line each, what there still is of a lab."""
    tag = directory.name
    return (
        *(f"process {pid}" for pid in sorted(processes(tag))),
        *(f"mount {point}" for point in mounts(tag)),
        *(f"network namespace {name}" for name in namespaces(tag)),
        *(f"cgroup {root / tag}" for root in cgroup_roots() if (root / tag).exists()),
        *(f"directory {directory}" for _ in range(directory.exists())),
    )


def sweep(directory: Path) -> tuple[str, ...]:
    """Remove a lab, its processes first; returns what could not be removed."""
    tag = directory.name
    # The supervisors end by themselves after their payload, and tidy up behind it.
    _kill_all(lambda: processes(tag, "payload"))
    _wait_until(lambda: not processes(tag, "supervisor"), seconds=3)
    _kill_all(lambda: processes(tag))
    for name in namespaces(tag):
        _run("ip", "netns", "delete", name)
    for point in mounts(tag):
        if _run("umount", str(point)) != 0:
            _run("umount", "--lazy", str(point))
    for root in cgroup_roots():
        remove_cgroup(root / tag)
    if not mounts(tag):
        shutil.rmtree(directory, ignore_errors=True)
    return leftovers(directory)


def remove_cgroup(cgroup: Path) -> None:
    """Remove a cgroup and all below it; the last dying processes may hold it for a moment."""

    def remove() -> bool:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):
                Path(directory).rmdir()
        return not cgroup.exists()

    _wait_until(remove, seconds=_PATIENCE)


def labs() -> tuple[Path, ...]:
    """Find the directories of all labs of which anything is there, living or dead."""
    places = (BASE, _NAMESPACES, *cgroup_roots())
    names = (path.name for place in places for path in place.glob(f"{PREFIX}*"))
    return tuple(sorted({BASE / match[0] for name in names if (match := _TAG.match(name))}))


def is_kept(directory: Path) -> bool:
    """Tell whether the lab's keeper lives: it holds the lock for as long as it does."""
    try:
        with (directory / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def keep(directory: Path) -> tuple[str, ...]:
    """Wait until the lab ends, and sweep it; the lock was taken by whoever started this."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not sys.stdin.buffer.read():
        # Killed, not closed: a command that the dying process had just started may still be
        # making something.
        time.sleep(1)
    return sweep(directory)


def main(arguments: list[str]) -> int:
    """Run as the module's docstring says; the status tells whether anything is left."""
    remaining: tuple[str, ...] = ()
    if arguments[:1] == ["keep"]:
        remaining = keep(Path(arguments[1]))
    else:
        for directory in labs():
            if is_kept(directory):
                sys.stderr.write(f"{directory.name} is in use\n")
            else:
                sys.stderr.write(f"removing {directory.name}\n")
                remaining += sweep(directory)
    sys.stderr.write("".join(f"left: {line}\n" for line in remaining))
    return 1 if remaining else 0


def _kill_all(find: Callable[[], frozenset[int]]) -> None:
    def kill() -> bool:
        pids = find()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    _wait_until(kill, seconds=_PATIENCE)


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def _is_zombie(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def _run(*argv: str) -> int:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
