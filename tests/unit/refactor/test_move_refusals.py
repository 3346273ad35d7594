"""Moves to a shared row that would break somebody are refused, each with a cure."""

import re
from dataclasses import replace

import pytest

from toolchain.model.refactoring import MoveColumns, Part, SplitTable
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import (
    Check,
    Column,
    ForeignKey,
    Index,
    Key,
    Schema,
    TableSchema,
    Trigger,
)
from toolchain.refactor.move import columns, keyed
from toolchain.refactor.phases import UnableError

CHILD = RelationName("public", "invoice")
PARENT = RelationName("public", "customer")
PART = RelationName("public", "place")
OTHER = RelationName("public", "other")
ID = Column(name="id", type="bigint", not_null=True)
REFERENCE = Column(name="customer", type="bigint", not_null=True)
EMAIL = Column(name="email", type="text")
FOREIGN = ForeignKey(name="fkey", columns=("customer",), table=PARENT, references=("id",))
BY_CUSTOMER = Index(
    name=RelationName("public", "by_customer"), columns=("customer",), definition="CREATE INDEX"
)
INVOICE = TableSchema(
    name=CHILD,
    columns=(ID, REFERENCE, EMAIL, Column(name="amount", type="integer")),
    keys=(Key(name="invoice_pkey", columns=("id",), primary=True),),
    foreign_keys=(FOREIGN,),
    indexes=(BY_CUSTOMER,),
)
CUSTOMER = TableSchema(
    name=PARENT,
    columns=(ID,),
    keys=(Key(name="customer_pkey", columns=("id",), primary=True),),
)
TOUCH = Trigger(name="touch", timing="before", events=frozenset({"update"}), each_row=True)
MOVE = MoveColumns(table=CHILD, columns=("email",), along=("customer",), to=PARENT)
PLACE = Part(table=PART, columns=("email",), key=("customer",))


def move(child: TableSchema, parent: TableSchema = CUSTOMER, how: MoveColumns = MOVE) -> None:
    columns.phases("move", how, Schema(tables={CHILD: child, PARENT: parent}))


def split(child: TableSchema, *parts: Part) -> None:
    schema = Schema(tables={CHILD: child, PARENT: CUSTOMER})
    keyed.phases("split", SplitTable(table=CHILD, into=parts or (PLACE,)), schema)


def test_a_plain_move_is_not_refused() -> None:
    move(INVOICE)
    split(INVOICE)


def with_email(**change: object) -> dict[str, object]:
    return {"columns": (ID, REFERENCE, replace(EMAIL, **change))}  # type: ignore[arg-type]


def with_reference(**change: object) -> dict[str, object]:
    return {"columns": (ID, replace(REFERENCE, **change), EMAIL)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_email(default="''"), "email of public.invoice has the default ''"),
        (with_email(generated="'x'"), "is generated, or an identity"),
        (with_email(type="json"), "which PostgreSQL cannot compare"),
        (with_reference(not_null=False), "customer of public.invoice may be NULL"),
        (with_reference(type="numeric(10,2)"), "equal values may be written differently"),
        (with_reference(collation="loose"), "equal values may be written differently"),
        ({"indexes": ()}, "no index of public.invoice begins with customer"),
        (
            {"indexes": (replace(BY_CUSTOMER, definition="CREATE INDEX … WHERE amount > 0"),)},
            "no index of public.invoice begins with customer",
        ),
        (
            {"keys": (*INVOICE.keys, Key(name="email_key", columns=("email",)))},
            "email_key of public.invoice is a key with email",
        ),
        (
            {
                "indexes": (
                    BY_CUSTOMER,
                    Index(name=OTHER, columns=("email",), definition="", unique=True),
                )
            },
            "public.other of public.invoice keeps values unique",
        ),
        (
            {"foreign_keys": (FOREIGN, replace(FOREIGN, name="to_mail", columns=("email",)))},
            "to_mail of public.invoice refers from email",
        ),
        (
            {"checks": (Check(name="odd", expression="", columns=frozenset({"email", "amount"})),)},
            "the check odd of public.invoice reads columns that move and such that stay",
        ),
        (
            {
                "columns": (
                    *INVOICE.columns,
                    Column(name="low", type="text", generated="lower(email)"),
                )
            },
            "low of public.invoice is generated from email",
        ),
        ({"policies": ("own",)}, "has the policy own"),
        ({"row_security": True}, "public.invoice has row security"),
        ({"views": (OTHER,)}, "the view public.other reads"),
        ({"triggers": (TOUCH,)}, "the trigger touch of public.invoice would fire"),
        ({"children": True}, "partitioned"),
        ({"keys": ()}, "no plain primary key of one column"),
    ],
)
def test_rows_that_cannot_share_a_value_are_refused(
    change: dict[str, object], message: str
) -> None:
    for attempt in (move, split):
        with pytest.raises(UnableError, match=re.escape(message)) as refusal:
            attempt(replace(INVOICE, **change))  # type: ignore[arg-type]
        assert refusal.value.cure


def test_a_trigger_on_other_columns_is_no_reason() -> None:
    move(replace(INVOICE, triggers=(replace(TOUCH, columns=("amount",)),)))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (replace(MOVE, along=("amount",)), "amount of public.invoice is no foreign key"),
        (replace(MOVE, columns=("phone",)), "public.invoice has no column phone"),
        (replace(MOVE, columns=()), "no column of public.invoice is named"),
        (replace(MOVE, columns=("customer",)), "customer leads to the other table"),
        (replace(MOVE, to=OTHER), "there is no table public.other"),
        (replace(MOVE, to=CHILD), "public.invoice refers to itself"),
    ],
)
def test_a_move_that_leads_nowhere_is_refused(how: MoveColumns, message: str) -> None:
    with pytest.raises(UnableError, match=re.escape(message)):
        move(INVOICE, how=how)


def test_a_parent_that_cannot_take_the_values_is_refused() -> None:
    with pytest.raises(UnableError, match="public.customer has a column email already"):
        move(INVOICE, replace(CUSTOMER, columns=(ID, EMAIL)))
    with pytest.raises(UnableError, match="public.customer has row security"):
        move(INVOICE, replace(CUSTOMER, row_security=True))
    with pytest.raises(UnableError, match="the trigger touch of public.customer would fire"):
        move(INVOICE, replace(CUSTOMER, triggers=(TOUCH,)))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((replace(PLACE, table=PARENT),), "there is a public.customer already"),
        ((replace(PLACE, rename=("a", "b")),), "does not give each of customer a name"),
        ((replace(PLACE, rename=("email",)),), "does not give each of customer a name"),
        ((PLACE, replace(PLACE, table=OTHER)), "is asked for by two parts"),
        ((PLACE, replace(PLACE, table=OTHER, columns=("amount",), key=())), "and some have not"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: tuple[Part, ...], message: str) -> None:
    with pytest.raises(UnableError, match=re.escape(message)):
        split(INVOICE, *parts)
