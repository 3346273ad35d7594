"""What every benchmark measures with: timed processes, a scratch directory, Markdown tables."""

import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Figure:
    """Wall seconds and the peak memory (MiB) of the largest process."""

    seconds: float
    mib: float


def run(*commands: tuple[str, ...], parallel: int = 1) -> Figure:
    """Run commands, several at a time; the time of all, the memory of the largest.

    Linux lets a process inherit the peak of the one that started it, so no figure of memory is
    below this process's own.
    """
    started: list[subprocess.Popen[bytes]] = []

    def one(argv: tuple[str, ...]) -> int:
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            started.append(process)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                code = process.returncode
                sys.exit(f"bench: {argv[0]} failed with {code}:\n{log.read().decode()}")
        return int(usage.ru_maxrss)

    start = time.perf_counter()
    with ThreadPoolExecutor(parallel) as executor:
        try:
            peaks = list(executor.map(one, commands))
        except BaseException:
            for process in started:
                process.terminate()
            raise
    return Figure(time.perf_counter() - start, max(peaks) / 1024)


@contextmanager
def background(argv: tuple[str, ...], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command while the block runs, and end it then; that it fails before ends it all."""
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield process
            if process.poll():
                code = process.returncode
                sys.exit(f"bench: {argv[0]} failed with {code}:\n{log.read_text()}")
        finally:
            process.terminate()
            # One that is stopped meets the signal only when it goes on.
            process.send_signal(signal.SIGCONT)
            process.wait()


def end_like_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP unwind as Ctrl-C does, so that nothing stays behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _ENDINGS:
        signal.signal(number, interrupt)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C not break off what cleans up after the first."""
    former = [(number, signal.signal(number, signal.SIG_IGN)) for number in _ENDINGS]
    try:
        yield
    finally:
        for number, handler in former:
            signal.signal(number, handler)


@contextmanager
def scratch_directory(*, longest: int = 4096) -> Iterator[Path]:
    """A directory below TMPDIR, gone at the end; below /tmp where its path would be too long."""
    place = tempfile.gettempdir()
    directory = Path(
        tempfile.mkdtemp(prefix="interlock-bench-", dir=place if len(place) <= longest else "/tmp")  # noqa: S108
    )
    try:
        yield directory
    finally:
        with undisturbed():
            # A process that was just told to end may still write for a moment.
            deadline = time.monotonic() + 5
            while directory.exists() and time.monotonic() < deadline:
                shutil.rmtree(directory, ignore_errors=True)
            if directory.exists():
                shutil.rmtree(directory)


def platform_line() -> str:
    """Where this runs."""
    return f"{platform.platform()}, {os.cpu_count()} processors"


def markdown(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column names the rows."""
    lines = [columns, ["---"] * len(columns), *rows]
    print(f"\n### {title}\n")
    # An empty cell is one blank, not two.
    print(
        "\n".join(
            "|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines
        )
    )
    sys.stdout.flush()


def table(title: str, rows: Mapping[str, Sequence[Figure]]) -> None:
    """Medians as Markdown, each against Interlock's."""
    base = statistics.median(figure.seconds for figure in next(iter(rows.values())))
    lines = []
    for name, figures in rows.items():
        seconds = statistics.median(figure.seconds for figure in figures)
        memory = max(figure.mib for figure in figures)
        lines.append((name, f"{seconds:.2f}", f"{seconds / base:.2f}", f"{memory:.0f}"))
    markdown(title, ("", "seconds", "against Interlock", "memory (MiB)"), lines)
