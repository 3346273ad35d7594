"""An inventory file to a fleet, and a fleet back to an inventory file."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import OutputError, UsageError
from toolchain.model.release import Product
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet
from toolchain.render.inventory import inventory_yaml
from toolchain.spec.inventory.check import check_inventory
from toolchain.spec.problem import spec_error

_LARGEST = 16 << 20


def read_inventory(path: Path, product: Product, chain: Chain) -> Fleet:
    """The fleet of an inventory file; raises SpecError with all its problems, or UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"the inventory {path} cannot be read: {error.strerror}", "name a readable file"
        ) from error
    if len(data) > _LARGEST:
        raise UsageError(
            f"the inventory {path} is larger than 16 MiB", "write groups of hosts instead"
        )
    with _no_collection():
        checked = check_inventory(str(path), data, product.name, chain)
    if checked.fleet is None:
        raise spec_error(str(path), checked.problems)
    return checked.fleet


@contextmanager
def _no_collection() -> Iterator[None]:
    """Reading makes a million objects and no cycles worth finding: looking takes a fifth of it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def save_inventory(path: Path, product: Product, fleet: Fleet, told: Iterable[str]) -> None:
    """Write a fleet as an inventory file, whole or not at all; raises OutputError.

    `told` are lines for the top of the file: where the fleet was read.
    """
    from toolchain.edge.whole_file import write_whole  # noqa: PLC0415

    try:
        write_whole(path, inventory_yaml(product.name, fleet, told).encode())
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", "name a file in a writable directory"
        ) from error
