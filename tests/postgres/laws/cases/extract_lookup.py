"""Give a column's values a table of their own."""

from dataclasses import replace

from tests.postgres.laws.case import Case
from tests.postgres.laws.forms import ITEM, ITEMS, RANGE, known, name, wide
from toolchain.model.refactoring import ExtractLookup
from toolchain.refactor.row.extract_lookup import phases

_NAMES = (
    "INSERT INTO public.label (name) SELECT DISTINCT text FROM {rows}"
    " WHERE text IS NOT NULL ORDER BY text ON CONFLICT (name) DO NOTHING"
)
_ROWS = (
    "INSERT INTO public.item (id, owner, m, n, label_id) SELECT key, key / 10, m, n,"
    " (SELECT label.id FROM public.label WHERE label.name = text) FROM {rows}"
)
NEW = replace(
    wide(),
    read="SELECT item.id AS key, n, m, label.name AS text"
    " FROM public.item LEFT JOIN public.label ON label.id = label_id",
    insert=(_NAMES, _ROWS),
    upsert=(
        _NAMES,
        f"{_ROWS} ON CONFLICT (id) DO UPDATE SET m = excluded.m, label_id = excluded.label_id,"
        " n = COALESCE(item.n, 0) + excluded.n",
    ),
    write=(
        "INSERT INTO public.label (name) SELECT %(text)s::text WHERE %(text)s::text IS NOT NULL"
        " ON CONFLICT (name) DO NOTHING",
        "UPDATE public.item SET label_id = (SELECT id FROM public.label WHERE name = %(text)s)"
        f" WHERE id {RANGE} AND n IS NOT NULL",
    ),
    clear=(f"UPDATE public.item SET n = NULL, label_id = NULL WHERE id {RANGE}",),
    clear_low=(
        f"UPDATE public.item SET n = NULL, label_id = NULL WHERE id {RANGE} AND n < %(by)s",
    ),
    copy=None,
)
CASES = (
    Case(
        name="extract lookup",
        schema=ITEM,
        phases=phases(
            "labels",
            ExtractLookup(
                table=name("item"), column="label", into=name("label"), reference="label_id"
            ),
            known(ITEMS),
        ),
        old=wide(),
        new=NEW,
    ),
)
