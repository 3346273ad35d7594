"""Split a table: the part is a view of it until the contract, or a copy."""

from dataclasses import replace

from tests.postgres.laws.case import Case
from tests.postgres.laws.forms import ITEM, ITEMS, known, name, parted, wide
from toolchain.model.refactoring import Part, SplitTable, Strategy
from toolchain.refactor.split.table import phases

NEW = parted("public.item", "public.item_detail", "item_id")


def _phases(strategy: Strategy) -> Case:
    split = SplitTable(
        table=name("item"),
        into=(Part(table=name("item_detail"), columns=("n", "label")),),
        strategy=strategy,
    )
    return Case(
        name=f"split {strategy.value}",
        schema=ITEM,
        phases=phases("split-item", split, known(ITEMS)),
        old=replace(wide(), truncate=None),
        new=replace(NEW, upsert=None) if strategy is Strategy.VIEW else NEW,
        after=NEW,
        retries=True,  # a DELETE through the view as well, when the part was changed meanwhile
    )


CASES = tuple(map(_phases, (Strategy.VIEW, Strategy.COPY)))
