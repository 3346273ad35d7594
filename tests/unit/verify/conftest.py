"""The sample product, built once for the tests of a process."""

from pathlib import Path

import pytest

from tests.verify_samples import FLEETDESK, build, read
from toolchain.build.product import open_product
from toolchain.model.carried import PackageFile
from toolchain.model.release import Product


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with all packages of fleetdesk."""
    return build(FLEETDESK, tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def files(packages: Path) -> tuple[PackageFile, ...]:
    """All packages of fleetdesk, read."""
    return read(packages)


@pytest.fixture(scope="session")
def fleetdesk() -> Product:
    """The specs of fleetdesk."""
    return open_product(FLEETDESK).product
