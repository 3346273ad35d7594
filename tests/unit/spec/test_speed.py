"""Fifty releases are checked while a person waits; the bound leaves room for a busy machine."""

import time
from pathlib import Path

from tests.unit.spec.sample import SAMPLE, write
from toolchain.edge.directory import Directory
from toolchain.spec import check_product


def fifty_releases() -> dict[str, str]:
    """Release 4.N.0 expands and moves a change that 4.N+1.0 contracts."""
    files = {name: text for name, text in SAMPLE.items() if not name.startswith(("4.1", "sql/12"))}
    for number in range(1, 50):
        contracted = "os-name" if number == 1 else f"split-host-{number - 1}"
        files[f"4.{number}.0.yaml"] = (
            SAMPLE["4.1.0.yaml"]
            .replace("release: 4.1.0", f"release: 4.{number}.0")
            .replace("version: 12", f"version: {11 + number}")
            .replace('schema: ">= 12"', f'schema: ">= {11 + number}"')
            .replace(">= 4.0.0, < 6.0.0", f">= 4.{number - 1}.0")
            .replace("change: split-host", f"change: split-host-{number}")
            .replace("change: audit-index", f"change: audit-index-{number}")
            .replace("change: os-name", f"change: {contracted}")
            .replace("sql/12", f"sql/{11 + number}")
        )
        for name, text in SAMPLE.items():
            if name.startswith("sql/12"):
                files[name.replace("12", str(11 + number))] = text
    return files


def test_fifty_releases(tmp_path: Path) -> None:
    tree = Directory(write(tmp_path, fifty_releases()))
    started = time.process_time()
    checked = check_product(tree, {})
    taken = time.process_time() - started
    assert checked.product is not None, checked.problems
    assert len(checked.product.releases) == 50
    assert taken < 2
