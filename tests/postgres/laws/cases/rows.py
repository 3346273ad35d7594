"""Refactorings whose forms are both in one row."""

from dataclasses import replace

from tests.postgres.laws.case import Case, Copy, Form
from tests.postgres.laws.forms import ITEM, ITEMS, RANGE, known, name, wide
from toolchain.model.refactoring import (
    AddColumn,
    ChangeColumns,
    DropColumn,
    NewColumn,
    OldColumn,
    RenameColumn,
    SetNotNull,
)
from toolchain.model.schema import Column
from toolchain.refactor.row import (
    add_column,
    change_columns,
    drop_column,
    rename_column,
    set_not_null,
)

TABLE = name("item")

RENAME = Case(
    name="rename column",
    schema=ITEM,
    phases=rename_column.phases(
        "amount", RenameColumn(table=TABLE, column="n", to="amount"), known(ITEMS)
    ),
    old=wide(),
    new=wide(n="amount"),
)

# n as tens and ones.
_N = "(tens * 10 + ones)"
_COLUMNS = "id, owner, m, tens, ones, label"
_INSERT = (
    f"INSERT INTO public.item ({_COLUMNS})"
    " SELECT key, key / 10, m, n / 10, n % 10, text FROM {rows}"
)
_DIGITS = replace(
    wide(),
    read=f"SELECT id AS key, {_N} AS n, m, label AS text FROM public.item",
    insert=(_INSERT,),
    add=(
        f"UPDATE public.item SET tens = ({_N} + %(by)s) / 10, ones = ({_N} + %(by)s) %% 10"
        f" WHERE id {RANGE}",
    ),
    write=(f"UPDATE public.item SET label = %(text)s WHERE id {RANGE} AND ones IS NOT NULL",),
    clear=(f"UPDATE public.item SET tens = NULL, ones = NULL, label = NULL WHERE id {RANGE}",),
    clear_low=(
        "UPDATE public.item SET tens = NULL, ones = NULL, label = NULL"
        f" WHERE id {RANGE} AND {_N} < %(by)s",
    ),
    upsert=None,
    copy=None,
)
CHANGE = Case(
    name="change columns",
    schema=ITEM,
    phases=change_columns.phases(
        "digits",
        ChangeColumns(
            table=TABLE,
            old=(OldColumn(name="n", value="tens * 10 + ones"),),
            new=(
                NewColumn(name="tens", type="integer", value="n / 10"),
                NewColumn(name="ones", type="integer", value="n % 10"),
            ),
        ),
        known(ITEMS),
    ),
    old=wide(),
    new=replace(_DIGITS, insert=(_INSERT.replace("n % 10", "n %% 10"),)),
)

# New servers write the new column themselves, and what they read of n is what it says.
_TWICE = "INSERT INTO public.item (id, owner, m, n, label, twice)"
_DOUBLED = f"{_TWICE} SELECT key, key / 10, m, n, text, n * 2 FROM {{rows}}"
ADD = Case(
    name="add computed column",
    schema=ITEM,
    phases=add_column.phases(
        "twice",
        AddColumn(table=TABLE, column="twice", type="integer", value="n * 2"),
        known(ITEMS),
    ),
    old=wide(),
    new=replace(
        wide(),
        read="SELECT id AS key, twice / 2 AS n, m, label AS text FROM public.item",
        insert=(_DOUBLED,),
        add=(
            "UPDATE public.item SET n = n + %(by)s, twice = (n + %(by)s) * 2"
            f" WHERE id {RANGE}",
        ),
        upsert=(
            f"{_DOUBLED} ON CONFLICT (id) DO UPDATE SET m = excluded.m, label = excluded.label,"
            " n = COALESCE(item.n, 0) + excluded.n,"
            " twice = (COALESCE(item.n, 0) + excluded.n) * 2",
        ),
        clear=(
            f"UPDATE public.item SET n = NULL, twice = NULL, label = NULL WHERE id {RANGE}",
        ),
        clear_low=(
            "UPDATE public.item SET n = NULL, twice = NULL, label = NULL"
            f" WHERE id {RANGE} AND n < %(by)s",
        ),
        copy=None,
    ),
)  # fmt: skip

# Old servers write the column that goes, new ones do not know of it.
_WITH_EXTRA = "INSERT INTO public.item (id, owner, m, n, label, extra)"


def _old(form: Form) -> Form:
    select = " SELECT key, key / 10, m, n, text, n FROM {rows}"
    assert form.upsert is not None
    conflict = form.upsert[0][form.upsert[0].index(" ON CONFLICT") :]
    into = "public.item (id, owner, m, n, label, extra)"
    return replace(
        form,
        insert=(_WITH_EXTRA + select,),
        upsert=(_WITH_EXTRA + select + conflict,),
        copy=(Copy(into=into, fields=("key", "owner", "m", "n", "text", "n")),),
    )


DROP = Case(
    name="drop column",
    schema=ITEM + "ALTER TABLE public.item ADD extra integer NOT NULL;",
    phases=drop_column.phases(
        "extra",
        DropColumn(table=TABLE, column="extra", value="0"),
        known(
            replace(
                ITEMS,
                columns=(*ITEMS.columns, Column(name="extra", type="integer", not_null=True)),
            )
        ),
    ),
    old=_old(wide()),
    new=wide(),
)

# Old servers leave out a column that new ones always write; what they read of n is what it says.
SET = Case(
    name="set not null",
    schema=ITEM + "ALTER TABLE public.item ADD extra integer;",
    phases=set_not_null.phases(
        "extra",
        SetNotNull(table=TABLE, column="extra", fill="m * 0 + 7"),
        known(replace(ITEMS, columns=(*ITEMS.columns, Column(name="extra", type="integer")))),
    ),
    old=wide(),
    new=replace(
        wide(),
        # A row that has NULL there cannot be read, and one too many is not in the other form.
        read="SELECT id AS key, n, m, label AS text FROM public.item WHERE extra = 7",
        insert=(
            "INSERT INTO public.item (id, owner, m, n, label, extra)"
            " SELECT key, key / 10, m, n, text, 7 FROM {rows}",
        ),
        upsert=None,
        copy=None,
    ),
)

CASES = (RENAME, CHANGE, ADD, DROP, SET)
