"""A database package of Interlock, as it lies on a host: manifest, SQL, shards file, runner."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, run
from toolchain.edge.resources import runner_files
from toolchain.plan.package import Role
from toolchain.render.island import carried

PRODUCT = "bench"
# The launcher that packages carry, and beyond it: the peak of the runner's memory, which the
# figures of wait4 hide behind that of the process that started it.
LAUNCHER = """\
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, {library!r})

from pathlib import Path

from runner.database.commands import main

try:
    code = main(program="bench-database", manifest={manifest!r}, config={config!r})
finally:
    Path({status!r}).write_text(Path("/proc/self/status").read_text())
sys.exit(code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the only release; with `walk`, a table and its key, it goes in batches."""

    phase: str
    sql: str
    walk: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An unpacked package; its runner's options are the defaults."""

    folder: Path

    def command(self, shards: Mapping[str, str]) -> tuple[str, ...]:
        """What upgrades shards (data source names by shard), written into the shards file."""
        sections = "".join(f"[{name}]\ndsn = {dsn}\n" for name, dsn in shards.items())
        config = self.folder / "shards.ini"
        config.write_text(sections)
        config.chmod(0o640)
        # The tables of the application are there already, and no ledger: hence --create.
        return (sys.executable, "-I", str(self.folder / "launcher"), "apply", "--create")

    def apply(self, shards: Mapping[str, str]) -> Figure:
        """Upgrade shards in one run; the whole process is timed."""
        figure = run(self.command(shards))
        return replace(figure, mib=_peak(self.folder / "status"))


def write_package(folder: Path, *steps: Step) -> Package:
    """Unpack a package of one release into a new folder."""
    folder.mkdir()
    for name, content in carried(Role.DATABASE, runner_files()):
        path = folder / "lib/runner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    release = {
        "release": "1.0.0",
        "schema": 1,
        "servers": {"oldest": "1.0.0", "below": None},
        "steps": [_step(folder, step) for step in steps],
    }
    manifest = {"format": 1, "product": PRODUCT, "release": "1.0.0", "releases": [release]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    names = {
        "library": "lib",
        "manifest": "manifest.json",
        "config": "shards.ini",
        "status": "status",
    }
    paths = {key: str(folder / name) for key, name in names.items()}
    (folder / "launcher").write_text(LAUNCHER.format(**paths))
    return Package(folder=folder)


def _step(folder: Path, step: Step) -> dict[str, Any]:
    ident = f"change.{step.phase}"
    content = f"{step.sql};\n".encode()
    (folder / f"{ident}.sql").write_bytes(content)
    return {
        "id": ident,
        "change": "change",
        "phase": step.phase,
        "transaction": True,
        "sql": f"{ident}.sql",
        "sha256": hashlib.sha256(content).hexdigest(),
        "undo": None,
        "batch": _batch(step.sql, *step.walk) if step.walk else None,
    }


def _batch(statement: str, table: str, key: str) -> dict[str, str | Sequence[str]]:
    return {"table": table, "key": key, "statements": [statement]}


def _peak(status: Path) -> float:
    """VmHWM of proc(5), in MiB."""
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
