"""The statements that Fleetdesk is rehearsed with are those that its servers issue."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY
from toolchain.build.product import open_product
from toolchain.spec.statements.written import take_apart

PRODUCT = REPOSITORY / "release-specs/fleetdesk"
VERSIONS = sorted(path.parent.name for path in PRODUCT.glob("payload/*/store.py"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = REPOSITORY / "scripts/fleetdesk-statements"
    loader = SourceFileLoader("fleetdesk_statements", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", VERSIONS)
def test_the_files_are_what_the_script_writes(version: str, script: ModuleType):
    store = (PRODUCT / f"payload/{version}/store.py").read_text()
    assert (PRODUCT / f"statements/{version}.sql").read_text() == script.file_text(version, store)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_statement_of_a_store_is_there_word_for_word(version: str):
    """The store is run here, which the script does not do."""
    names: dict[str, object] = {}
    source = (PRODUCT / f"payload/{version}/store.py").read_text()
    exec(compile(source, "store.py", "exec"), names)  # noqa: S102  (our own, of the sample)
    issued = {
        name.lower().replace("_", "-"): " ".join(take_apart(text).statements[0].sql.split())
        for name, text in names.items()
        if name.isupper() and isinstance(text, str)
    }
    server = open_product(PRODUCT).release(version).server
    assert {each.name: " ".join(each.sql.split()) for each in server.statements} == issued
    assert all(each.samples for each in server.statements)
