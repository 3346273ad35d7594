"""procrastinate's own folder of migrations, imported: what a person has judged comes out again."""

import re
import zipfile
from pathlib import Path

from tests.postgres.test_procrastinate import PRODUCT, opened  # noqa: F401  (the fixture that fetches it)
from toolchain.build.product import OpenProduct
from toolchain.importer.chain import draft_chain
from toolchain.importer.mapping import By, Known, mapped
from toolchain.importer.migrations.numbered import read_numbered

_MARKED = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_(?:pre|post)_\w+\.sql")


def test_phases_of_the_import_are_those_of_the_judged_product(opened: OpenProduct, tmp_path: Path):  # noqa: F811
    (wheel,) = PRODUCT.with_name(f"{PRODUCT.name}.cache").glob("procrastinate-3.10.0-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [
            name for name in archive.namelist() if name.endswith(".sql") and "/migrations/" in name
        ]
        archive.extractall(tmp_path, names)
    folder = read_numbered(tmp_path / "procrastinate/sql/migrations")
    found = mapped(folder, Known(), By.AUTO)
    chain = draft_chain(tuple(found.migrations), found.migrations, refactor=False)
    imported = {
        match[0]: step.phase
        for release in chain.releases
        for step in (*release.steps, *release.waiting)
        for match in _MARKED.finditer(step.comments[0])
    }
    judged = {
        Path(step.sql.name).name: step.phase
        for release in opened.product.releases
        for step in release.database.steps
        if _MARKED.fullmatch(Path(step.sql.name).name)
    }
    assert len(judged) >= 6
    assert judged.items() <= imported.items()
