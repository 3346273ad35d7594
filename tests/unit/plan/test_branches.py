"""What a package carries follows from the releases that it was built upon."""

import json
from pathlib import Path

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write
from tests.unit.spec.test_branches import HOTFIX
from toolchain.build.product import open_product
from toolchain.model.release import Architecture, Format
from toolchain.plan.entry import File
from toolchain.plan.halves import database_package, server_package
from toolchain.plan.manifest import database_files


def carried(product: Path, version: str) -> list[str]:
    opened = open_product(product, {})
    (manifest,) = (
        entry.content
        for entry in database_files(opened.product, opened.release(version), opened.sql())
        if entry.path.endswith("manifest.json") and isinstance(entry, File)
    )
    return [release["release"] for release in json.loads(bytes(manifest))["releases"]]


def test_a_manifest_lists_the_history(tmp_path: Path) -> None:
    product = write(tmp_path, chain(HOTFIX))
    assert carried(product, "1.0.1") == ["1.0.0", "1.0.1"]
    assert carried(product, "2.0.1") == ["1.0.0", "2.0.0", "2.0.1"]
    assert carried(product, "3.0.0") == ["1.0.0", "2.0.0", "2.0.1", "3.0.0"]


def test_a_release_without_a_package_is_in_no_manifest(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.0.1": R(schema=1, package=False),
        "1.1.0": R(schema=2, steps=("expand:split",)),
    }
    assert carried(write(tmp_path, chain(releases)), "1.1.0") == ["1.0.0", "1.1.0"]


def test_a_later_hotfix_changes_no_other_package(tmp_path: Path) -> None:
    """Byte for byte what was published, as far as the plan goes: relations, contents, changelog."""
    files = chain(HOTFIX)
    without = {name: text for name, text in files.items() if name != "1.0.1.yaml"}
    before, after = (
        open_product(write(tmp_path / name, some), {})
        for name, some in (("before", without), ("after", files))
    )
    for version in ("1.0.0", "2.0.0", "2.0.1", "3.0.0"):
        plans = [
            (
                database_package(opened.product, opened.release(version), opened.sql()),
                server_package(
                    opened.product, opened.release(version), Architecture.ALL, opened.listing()
                ),
            )
            for opened in (before, after)
        ]
        assert plans[0] == plans[1]
        assert plans[0][0].all_relations(Format.DEB) == plans[1][0].all_relations(Format.DEB)
