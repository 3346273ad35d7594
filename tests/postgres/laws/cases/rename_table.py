"""Rename a table."""

from dataclasses import replace

from tests.postgres.laws.case import Case
from tests.postgres.laws.forms import ITEM, ITEMS, known, name, wide
from toolchain.model.refactoring import RenameTable
from toolchain.refactor.rename_table import phases

CASES = (
    Case(
        name="rename table",
        schema=ITEM,
        phases=phases("thing", RenameTable(table=name("item"), to="thing"), known(ITEMS)),
        old=wide(),
        new=replace(wide("public.thing"), truncate=None, copy=None),
        after=wide("public.thing"),
    ),
)
