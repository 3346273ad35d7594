"""Move a column to the row that a foreign key refers to, and to a part that has a key of its own.

Each row refers to one of its own here, which stays when the row goes.
"""

from dataclasses import replace

from tests.postgres.laws.case import Case, Copy
from tests.postgres.laws.forms import ITEM, ITEMS, RANGE, known, name, wide
from tests.postgres.laws.operations import GROUP
from toolchain.model.refactoring import MoveColumns, Part, SplitTable
from toolchain.model.schema import Column, ForeignKey, Index, Key, TableSchema
from toolchain.refactor.move import columns
from toolchain.refactor.split import table

BASE = """
CREATE TABLE public.base (id integer CONSTRAINT base_pkey PRIMARY KEY);
INSERT INTO public.base SELECT * FROM generate_series(0, 400) AS id;
"""
REFERENCE = "ALTER TABLE public.item ADD base integer NOT NULL;"
FOREIGN = (
    "ALTER TABLE public.item ADD CONSTRAINT item_base_fkey FOREIGN KEY (base)"
    " REFERENCES public.base (id);"
)
INDEX = "CREATE INDEX item_base ON public.item (base);"

BASES = TableSchema(
    name=name("base"),
    columns=(Column(name="id", type="integer", not_null=True),),
    keys=(Key(name="base_pkey", columns=("id",), primary=True),),
)
BASED = replace(
    ITEMS,
    columns=(*ITEMS.columns, Column(name="base", type="integer", not_null=True)),
    indexes=(
        *ITEMS.indexes,
        Index(
            name=name("item_base"),
            columns=("base",),
            definition="CREATE INDEX item_base ON public.item USING btree (base)",
        ),
    ),
)
REFERRING = replace(
    BASED,
    foreign_keys=(
        *ITEMS.foreign_keys,
        ForeignKey(
            name="item_base_fkey",
            columns=("base",),
            table=name("base"),
            references=("id",),
        ),
    ),
)

_WHOLE = wide()
_INTO = "public.item (id, owner, m, n, label, base)"
_INSERT = f"INSERT INTO {_INTO} SELECT key, key / 10, m, n, text, key FROM {{rows}}"
OLD = replace(
    _WHOLE,
    insert=(_INSERT,),
    upsert=(
        f"{_INSERT} ON CONFLICT (id) DO UPDATE SET m = excluded.m, label = excluded.label,"
        " n = COALESCE(item.n, 0) + excluded.n",
    ),
    copy=(Copy(into=_INTO, fields=("key", "owner", "m", "n", "text", "key")),),
    rekey=None,
    truncate=None,
)
_ROWS = (
    "INSERT INTO public.item (id, owner, m, label, base)"
    " SELECT key, key / 10, m, text, key FROM {rows}"
)


def _emptied(parents: str) -> str:
    """One statement, which looks again at a parent that it has waited for."""
    return f"""
WITH low AS (UPDATE public.base SET n = NULL WHERE {parents} AND n < %(by)s RETURNING id)
UPDATE public.item SET label = NULL FROM low WHERE item.base = low.id AND item.id {RANGE}
"""


NEW = replace(
    OLD,
    read="SELECT item.id AS key, base.n AS n, item.m AS m, label AS text"
    " FROM public.item JOIN public.base ON base.id = item.base",
    insert=("UPDATE public.base SET n = fresh.n FROM {rows} WHERE id = fresh.key", _ROWS),
    add=(f"UPDATE public.base SET n = n + %(by)s WHERE id {RANGE}",),
    write=(
        f"UPDATE public.item SET label = %(text)s WHERE id {RANGE} AND EXISTS"
        " (SELECT FROM public.base WHERE base.id = item.base AND base.n IS NOT NULL)",
    ),
    clear=(
        f"UPDATE public.base SET n = NULL WHERE id {RANGE}",
        f"UPDATE public.item SET label = NULL WHERE id {RANGE}",
    ),
    clear_low=(_emptied(f"id {RANGE}"),),
    upsert=None,
    copy=None,
)
MOVE = Case(
    name="move column",
    schema=BASE + ITEM + REFERENCE + FOREIGN + INDEX,
    phases=columns.phases(
        "shared-n",
        MoveColumns(table=name("item"), columns=("n",), along=("base",), to=name("base")),
        known(REFERRING, BASES),
    ),
    old=OLD,
    new=NEW,
    retries=True,
    deferred=True,
    isolated=False,
)

KEYED = Case(
    name="split with key",
    schema=ITEM + REFERENCE + INDEX,
    phases=table.phases(
        "base",
        SplitTable(
            table=name("item"),
            into=(Part(table=name("base"), columns=("n",), key=("base",), rename=("id",)),),
        ),
        known(BASED),
    ),
    old=OLD,
    new=replace(
        NEW,
        insert=(
            "INSERT INTO public.base (id, n) SELECT key, n FROM {rows}"
            " ON CONFLICT (id) DO UPDATE SET n = excluded.n",
            _ROWS,
        ),
    ),
    retries=True,
    deferred=True,
    isolated=False,
)

# The same with three rows a group. Before the migration begins old servers write all of a group.

_BASE = f"key / {GROUP}"
_LAST = f"""(SELECT DISTINCT ON ({_BASE}) {_BASE} AS base, n FROM {{rows}}
    ORDER BY {_BASE}, key DESC) AS told"""
_GROUPS = f"base IN (SELECT base FROM public.item WHERE id {RANGE})"
_PARENTS = f"id IN (SELECT base FROM public.item WHERE id {RANGE})"
_SIBLING = f"(SELECT item.n FROM public.item WHERE item.base = {_BASE} LIMIT 1)"
_JOINED = f"WHERE EXISTS (SELECT FROM public.item WHERE item.base = {_BASE})"
_ONE = _INSERT.replace("text, key FROM", f"text, {_BASE} FROM")
_SILENT = f"{_ROWS.replace('text, key FROM', f'text, {_BASE} FROM')} {_JOINED}"
_REPEAT = f"{_ONE.replace('m, n, text', f'm, {_SIBLING}, text')} {_JOINED}"
BEGUN = replace(
    OLD,
    insert=(_ONE,),
    upsert=tuple(text.replace(_INSERT, _ONE) for text in OLD.upsert or ()),
    copy=(Copy(into=_INTO, fields=("key", "owner", "m", "n", "text", "group")),),
    join=(_SILENT,),
    repeat=(_REPEAT,),
)
WHOLE = replace(
    BEGUN,
    insert=(
        _ONE,
        f"UPDATE public.item SET n = told.n FROM {_LAST} WHERE item.base = told.base"
        " AND item.n IS DISTINCT FROM told.n",
    ),
    add=(f"UPDATE public.item SET n = n + %(by)s WHERE {_GROUPS}",),
    clear=(
        f"UPDATE public.item SET n = NULL WHERE {_GROUPS}",
        f"UPDATE public.item SET label = NULL WHERE id {RANGE}",
    ),
    clear_low=(
        f"UPDATE public.item SET label = NULL WHERE id {RANGE} AND n < %(by)s",
        f"UPDATE public.item SET n = NULL WHERE {_GROUPS} AND n < %(by)s",
    ),
    upsert=None,
    copy=None,
    join=None,
)
_SHARED = replace(
    NEW,
    insert=(
        f"UPDATE public.base SET n = told.n FROM {_LAST} WHERE id = told.base",
        _ROWS.replace("text, key FROM", f"text, {_BASE} FROM"),
    ),
    add=(f"UPDATE public.base SET n = n + %(by)s WHERE {_PARENTS}",),
    clear=(
        f"UPDATE public.base SET n = NULL WHERE {_PARENTS}",
        f"UPDATE public.item SET label = NULL WHERE id {RANGE}",
    ),
    clear_low=(_emptied(_PARENTS),),
    join=(_SILENT,),
)
MOVE_SHARED = replace(
    MOVE, name="move shared column", old=WHOLE, begun=BEGUN, new=_SHARED, group=GROUP
)
KEYED_SHARED = replace(
    KEYED,
    name="split with shared key",
    old=WHOLE,
    begun=BEGUN,
    new=replace(
        _SHARED,
        insert=(
            f"INSERT INTO public.base (id, n) SELECT base, n FROM {_LAST}"
            " ON CONFLICT (id) DO UPDATE SET n = excluded.n",
            *_SHARED.insert[1:],
        ),
    ),
    group=GROUP,
)

CASES = (MOVE, KEYED, MOVE_SHARED, KEYED_SHARED)
