"""An exported rollout that real ansible-core runs against hosts that are stubs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import run_interlock

STUB = Path(__file__).with_name("stub_site.py")
COMMANDS = ("dpkg-query", "rpm", "systemctl", "fleetdesk-server", "fleetdesk-database")
# Each host's Python: what a module runs is told which host it is on.
PYTHON = """\
#!/bin/sh
export STUB_HOST={host}
exec {python} "$@"
"""


@dataclass(frozen=True)
class Site:
    """Where the hosts' states and the export lie."""

    root: Path
    export: Path

    def state(self, host: str) -> dict[str, Any]:
        return json.loads((self.root / f"{host}.json").read_text())

    def set(self, host: str, **state: Any) -> None:
        before = self.state(host) if (self.root / f"{host}.json").exists() else {}
        (self.root / f"{host}.json").write_text(json.dumps({**before, **state}))

    def ran(self, host: str, command: str) -> list[str]:
        return [line for line in self.state(host).get("log", []) if line.startswith(command)]

    def play(self, *words: str, book: str = "rollout.yml") -> subprocess.CompletedProcess[str]:
        path = Path(sys.executable).parent
        return subprocess.run(
            [path / "ansible-playbook", "-i", "inventory.yml", book, *words],
            cwd=self.export,
            env={
                "PATH": f"{self.root}/bin:{path}:{os.environ['PATH']}",
                "HOME": os.environ["HOME"],
                "STUB_SITE": str(self.root),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )


def make_site(root: Path, product: Path, inventory: str, *words: str) -> Site:
    """Export a plan for a product, and link the stubs of the commands that its hosts have."""
    (root / "bin").mkdir()
    for command in COMMANDS:
        (root / "bin" / command).symlink_to(STUB)
    (root / "inventory.yaml").write_text(inventory)
    source = ("--inventory", root / "inventory.yaml")
    written = ("--export", "ansible", "--output", root / "export")
    run = run_interlock(root, "plan", product, *source, *words, *written)
    assert run.returncode == 0, run.stderr
    return Site(root, root / "export")


def add_host(site: Site, host: str, **state: Any) -> None:
    """Let the export reach a host, by a connection without ssh."""
    site.set(host, **state)
    python = site.root / f"python-{host}"
    python.write_text(PYTHON.format(host=host, python=sys.executable))
    python.chmod(0o755)
    variables = site.export / "host_vars"
    variables.mkdir(exist_ok=True)
    told = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_async_dir": str(site.root / "async"),
        "ansible_remote_tmp": str(site.root / "tmp"),
        "ansible_python_interpreter": str(python),
    }
    (variables / f"{host}.yml").write_text(json.dumps(told))
