"""Take a part back into its table."""

from dataclasses import replace

from tests.postgres.laws.case import OWNER, Case
from tests.postgres.laws.forms import ITEMS, known, name, parted, wide
from toolchain.model.refactoring import MergeTables
from toolchain.model.schema import Column, ForeignKey, Key, TableSchema
from toolchain.refactor.merge.tables import phases

SCHEMA = (
    OWNER
    + """
CREATE TABLE public.item (
    id integer CONSTRAINT item_pkey PRIMARY KEY,
    owner integer NOT NULL
        CONSTRAINT item_owner_fkey REFERENCES public.owner (id) ON DELETE CASCADE,
    m integer NOT NULL DEFAULT 0
);
CREATE INDEX item_owner ON public.item (owner);
CREATE TABLE public.detail (
    item integer CONSTRAINT detail_pkey PRIMARY KEY
        CONSTRAINT detail_item_fkey REFERENCES public.item (id) ON DELETE CASCADE,
    n integer,
    label text
);
"""
)
DETAILS = TableSchema(
    name=name("detail"),
    columns=(
        Column(name="item", type="integer", not_null=True),
        Column(name="n", type="integer"),
        Column(name="label", type="text"),
    ),
    keys=(Key(name="detail_pkey", columns=("item",), primary=True),),
    foreign_keys=(
        ForeignKey(
            name="detail_item_fkey",
            columns=("item",),
            table=name("item"),
            references=("id",),
            on_delete="cascade",
        ),
    ),
)
OLD = parted("public.item", "public.detail", "item")
# Once the parts are views of the item, which is still while old servers run.
VIEWED = replace(OLD, upsert=None)
# The view is what old servers have of it now, and the table behind it what the undo gives them.
_DIFFERING = """
SELECT * FROM public.detail_merged AS aside FULL JOIN public.detail ON detail.item = aside.item
WHERE (aside.item, aside.n, aside.label) IS DISTINCT FROM (detail.item, detail.n, detail.label)
"""
CASES = (
    Case(
        name="merge",
        schema=SCHEMA,
        phases=phases(
            "whole",
            MergeTables(tables=(name("detail"),), into=name("item")),
            known(replace(ITEMS, columns=ITEMS.columns[:3]), DETAILS),
        ),
        old=VIEWED,
        new=replace(wide(), rekey=None, truncate=None),
        after=wide(),
        differing=(_DIFFERING,),
        again="UPDATE public.detail SET n = n + 1000 WHERE item = NEW.id AND n < 1000",
        retries=True,  # a DELETE through the view, when the part was changed meanwhile
    ),
)
