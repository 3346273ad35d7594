"""What a start of the server's command loads: nothing that its work rarely needs."""

import subprocess
import sys

import pytest

NEVER = {"concurrent.futures", "difflib", "logging", "traceback", "toolchain.runner.database"}
SERVER = "toolchain.runner.server"


@pytest.mark.parametrize(
    ("module", "rare"),
    [
        ("check", {"gzip", "subprocess", "toolchain.runner.packages"}),
        ("hook_command", {"gzip", "toolchain.runner.packages.rpm_file"}),
        ("sync_command", {"gzip", "tarfile", "toolchain.runner.packages.rpm_file"}),
        ("shard_status", {"gzip", "tarfile", "toolchain.runner.packages.rpm_file"}),
    ],
)
def test_a_start_loads_no_more_than_its_work_needs(module: str, rare: set[str]):
    program = (
        f"import sys, {SERVER}.commands, {SERVER}.{module}\n"
        f"print(sorted({NEVER | rare!r} & set(sys.modules)))"
    )
    run = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
