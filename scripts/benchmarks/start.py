"""`scripts/bench start`: what a start of the server's command takes, compiled and not.

The command of fleetdesk's server lies in two directories that differ by what the package's script
compiles at an installation. Both are started in turn. Its one shard refuses connections, so that a
start ends where the waiting for PostgreSQL would begin.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from benchmarks.measure import markdown, platform_line, scratch_directory
from toolchain.build.product import open_product
from toolchain.edge.resources import TemplateFiles, packaging_directory, runner_files
from toolchain.plan.handshake import release_json
from toolchain.plan.package import Role
from toolchain.render.island import carried
from toolchain.render.templates import Templates
from toolchain.runner.core.errors import Exit

FLEETDESK = Path(__file__).parents[2] / "release-specs/fleetdesk"
PACKAGE = SimpleNamespace(name="bench-server", services=(SimpleNamespace(user="root"),))
PLACES = tuple(f"{path}/bench-server" for path in ("/usr/lib", "/usr/share", "/etc", "/var/lib"))
SHARDS = "[north]\ndsn = host=127.0.0.1 port=1 dbname=north user=bench\n"
# An apt or dnf that takes a shard's package away, which the hook judges by the shards file alone.
TOLD = b"fleetdesk-shard-south 14+4.0.0-1 -\n"
COMMANDS = {
    "`--help`": ("--help",),
    "`register`, at each start of a service": ("register",),
    "`hook`, at a transaction of apt or dnf": ("hook", "--dnf"),
    "`status`": ("status",),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument("--runs", type=int, default=30, help="of each command (30)")


def main(options: argparse.Namespace) -> None:
    """Measure and print the medians of the processor's time."""
    print(platform_line())
    with scratch_directory() as scratch:
        for kind in ("sources", "compiled"):
            _build(scratch / kind)
        hashed = ("compileall", "-qq", "--invalidation-mode", "checked-hash")
        once = _processor((sys.executable, "-I", "-m", *hashed, str(scratch / "compiled/runner")))
        rows = [_row(scratch, name, words, options.runs) for name, words in COMMANDS.items()]
    columns = ("", "from sources (ms)", "compiled (ms)", "saved")
    markdown("Processor's time of a start", columns, rows)
    print(f"\nThe compilation takes {once:.0f} ms, once.")


def _build(place: Path) -> None:
    """The command and its modules as the package has them, below one directory."""
    for path, content in carried(Role.SERVER, runner_files()):
        (place / "runner" / path).parent.mkdir(parents=True, exist_ok=True)
        (place / "runner" / path).write_bytes(content)
    product = open_product(FLEETDESK, {}).product
    (place / "release.json").write_bytes(release_json(product, product.releases[-1]))
    (place / "shards.ini").write_text(SHARDS)
    templates = Templates(TemplateFiles((packaging_directory(),)))
    text = templates.render("common/server-command.j2", package=PACKAGE)
    for path in PLACES:
        text = text.replace(path, str(place))
    (place / "command").write_text(text)


def _row(scratch: Path, name: str, words: tuple[str, ...], runs: int) -> tuple[str, ...]:
    took: dict[str, list[float]] = {"sources": [], "compiled": []}
    for _ in range(runs):
        for kind, figures in took.items():
            command = (sys.executable, "-I", str(scratch / kind / "command"), *words)
            figures.append(_processor(command))
    slow, fast = (statistics.median(figures) for figures in took.values())
    return name, f"{slow:.0f}", f"{fast:.0f}", f"{100 * (1 - fast / slow):.0f} %"


def _processor(argv: tuple[str, ...]) -> float:
    """Milliseconds of a process and all that it started."""
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(TOLD)
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, Exit.SHARD):
        sys.exit(f"bench: {' '.join(argv)} ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000
