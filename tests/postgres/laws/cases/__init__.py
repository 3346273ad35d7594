"""The cases: one file for each refactoring; each names its cases in CASES."""

from importlib import import_module
from pkgutil import iter_modules

from tests.postgres.laws.case import Case

CASES: tuple[Case, ...] = tuple(
    case
    for module in iter_modules(__path__)
    for case in import_module(f"{__name__}.{module.name}").CASES
)
