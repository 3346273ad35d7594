"""Changes within a row that would break somebody are refused, each with a cure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from toolchain.model.refactoring import (
    AddColumn,
    ChangeColumns,
    DropColumn,
    ExtractLookup,
    NewColumn,
    OldColumn,
    RenameColumn,
    SetNotNull,
    Strategy,
)
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
from toolchain.refactor.phases import Phases, UnableError
from toolchain.refactor.row import (
    add_column,
    change_columns,
    drop_column,
    extract_lookup,
    rename_column,
    set_not_null,
)

HOST = RelationName("public", "host")
JOB = RelationName("public", "job")
PLAIN = TableSchema(
    name=HOST,
    columns=(
        Column(name="id", type="bigint", not_null=True, identity="always"),
        Column(name="os", type="text"),
        Column(name="name", type="text", not_null=True),
        Column(name="made", type="text", generated="id::text"),
        Column(name="state", type="text", not_null=True, default="'new'"),
    ),
    keys=(Key(name="host_pkey", columns=("id",), primary=True),),
)
EVERY = frozenset({"insert", "update"})
RENAME = RenameColumn(table=HOST, column="os", to="system")
SYSTEM = NewColumn(name="system", type="text", value="os")
CHANGE = ChangeColumns(table=HOST, old=(OldColumn(name="os", value="system"),), new=(SYSTEM,))
FILLED = "coalesce(upper(os), '')"
ADD = AddColumn(table=HOST, column="system", type="text", value=FILLED, not_null=True)
REQUIRE = SetNotNull(table=HOST, column="os", fill="name")
DROP = DropColumn(table=HOST, column="os", value="name")
LOOKUP = ExtractLookup(table=HOST, column="os", into=HOST.beside("system"), reference="system_id")
GENERATORS: dict[type, Callable[[str, Any, Schema], Phases]] = {
    RenameColumn: rename_column.phases,
    ChangeColumns: change_columns.phases,
    AddColumn: add_column.phases,
    SetNotNull: set_not_null.phases,
    DropColumn: drop_column.phases,
    ExtractLookup: extract_lookup.phases,
}
ALL = (RENAME, CHANGE, ADD, REQUIRE, DROP, LOOKUP)
TWO_WAYS = (RENAME, CHANGE, LOOKUP)
DROPPING = (CHANGE, DROP, LOOKUP)


def _phases(refactoring: object, table: TableSchema = PLAIN, *others: TableSchema) -> Phases:
    schema = Schema(tables={each.name: each for each in (table, *others)})
    return GENERATORS[type(refactoring)]("os-name", refactoring, schema)


def _refused(refactoring: object, table: TableSchema = PLAIN, *others: TableSchema) -> str:
    with pytest.raises(UnableError) as caught:
        _phases(refactoring, table, *others)
    assert caught.value.cure
    return caught.value.message


WITH_NOTE = replace(PLAIN, columns=(*PLAIN.columns, Column(name="note", type="text")))


def _kind(refactoring: object) -> str:
    return type(refactoring).__name__


@pytest.mark.parametrize("refactoring", ALL, ids=_kind)
def test_what_is_fine(refactoring: object) -> None:
    phases = _phases(refactoring)
    assert phases.strategy is Strategy.ROW
    assert _phases(refactoring) == phases


@pytest.mark.parametrize("refactoring", ALL, ids=_kind)
def test_no_table(refactoring: object) -> None:
    assert "no table public.host" in _refused(refactoring, replace(PLAIN, name=JOB))


@pytest.mark.parametrize("refactoring", ALL, ids=_kind)
def test_partitioned(refactoring: object) -> None:
    assert "partitioned" in _refused(refactoring, replace(PLAIN, children=True))


@pytest.mark.parametrize("refactoring", [RENAME, CHANGE, REQUIRE, DROP, LOOKUP], ids=_kind)
def test_no_column(refactoring: object) -> None:
    assert "no column os" in _refused(refactoring, replace(PLAIN, columns=PLAIN.columns[:1]))


@pytest.mark.parametrize("refactoring", [RENAME, CHANGE, ADD, LOOKUP], ids=_kind)
def test_name_taken(refactoring: object) -> None:
    taken = (Column(name="system", type="text"), Column(name="system_id", type="bigint"))
    table = replace(PLAIN, columns=(*PLAIN.columns, *taken))
    assert "already" in _refused(refactoring, table)


@pytest.mark.parametrize("refactoring", [RENAME, CHANGE, ADD, REQUIRE, LOOKUP], ids=_kind)
def test_no_key_to_walk_by(refactoring: object) -> None:
    pair = Key(name="host_pkey", columns=("id", "name"), primary=True)
    assert "primary key of one column" in _refused(refactoring, replace(PLAIN, keys=(pair,)))
    named = Key(name="host_name_key", columns=("name",))
    migration = _phases(refactoring, replace(PLAIN, keys=(pair, named))).migrate
    assert migration is not None
    assert migration.key == "name"


@pytest.mark.parametrize("refactoring", TWO_WAYS, ids=_kind)
def test_rules(refactoring: object) -> None:
    assert "rule" in _refused(refactoring, replace(PLAIN, rules=("log",)))


@pytest.mark.parametrize("refactoring", [*TWO_WAYS, DROP], ids=_kind)
def test_triggers_of_the_column(refactoring: object) -> None:
    trigger = Trigger(name="log", timing="after", events=EVERY, each_row=True, columns=("os",))
    assert "UPDATE OF" in _refused(refactoring, replace(PLAIN, triggers=(trigger,)))
    _phases(refactoring, replace(PLAIN, triggers=(replace(trigger, columns=("name",)),)))


@pytest.mark.parametrize("refactoring", ALL, ids=_kind)
def test_triggers_that_come_later(refactoring: object) -> None:
    trigger = Trigger(name="zz_log", timing="before", events=EVERY, each_row=True)
    late = replace(trigger, name="zzz")
    assert "would fire after" in _refused(refactoring, replace(PLAIN, triggers=(late,)))
    _phases(refactoring, replace(PLAIN, triggers=(replace(late, timing="after"), trigger)[:1]))


@pytest.mark.parametrize("refactoring", TWO_WAYS, ids=_kind)
def test_triggers_that_come_earlier(refactoring: object) -> None:
    early = Trigger(name="000", timing="before", events=EVERY, each_row=True)
    assert "would fire before" in _refused(refactoring, replace(PLAIN, triggers=(early,)))


@pytest.mark.parametrize("refactoring", [RENAME, CHANGE, ADD, REQUIRE, DROP, LOOKUP], ids=_kind)
def test_columns_of_another_open_change(refactoring: object) -> None:
    check = Check(
        name="interlock_other",
        expression="os IS NOT NULL",
        columns=frozenset({"os"}),
        valid=False,
    )
    assert "another change" in _refused(refactoring, replace(PLAIN, checks=(check,)))


@pytest.mark.parametrize("refactoring", DROPPING, ids=_kind)
@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("unique constraint", {"keys": (*PLAIN.keys, Key(name="k", columns=("os", "name")))}),
        (
            "unique index",
            {
                "indexes": (
                    Index(
                        name=HOST.beside("i"), columns=("os", "id"), definition="", unique=True
                    ),
                )
            },
        ),
        (
            "foreign key",
            {"foreign_keys": (ForeignKey(name="f", columns=("os", "id"), table=JOB,
                                         references=("os", "id")),)},
        ),
        (
            "check",
            {"checks": (Check(name="c", expression="", columns=frozenset({"os", "id"})),)},
        ),
        (
            "generated column",
            {"columns": (*PLAIN.columns, Column(name="g", type="text", generated="lower(os)"))},
        ),
        ("view", {"views": (HOST.beside("hosts"),)}),
        ("policy", {"policies": ("own",)}),
    ],
)  # fmt: skip
def test_what_the_contract_would_take_along(
    refactoring: object, what: str, changes: dict[str, Any]
) -> None:
    assert what in _refused(refactoring, replace(PLAIN, **changes))
    _phases(RENAME, replace(PLAIN, **changes))  # which drops nothing


@pytest.mark.parametrize("refactoring", [CHANGE, LOOKUP], ids=_kind)
def test_what_binds_a_replaced_column_alone(refactoring: object) -> None:
    unique = replace(PLAIN, keys=(*PLAIN.keys, Key(name="k", columns=("os",))))
    assert "unique constraint k" in _refused(refactoring, unique)
    assert "constraint k" in (_phases(DROP, unique).contract or "")


@pytest.mark.parametrize("refactoring", DROPPING, ids=_kind)
def test_references_to_the_column(refactoring: object) -> None:
    key = Key(name="k", columns=("os",))
    foreign = ForeignKey(name="job_os", columns=("os",), table=HOST, references=("os",))
    job = TableSchema(name=JOB, foreign_keys=(foreign,))
    message = _refused(DROP, replace(PLAIN, keys=(*PLAIN.keys, key)), job)
    assert "job_os" in message
    assert "job_os" in _refused(refactoring, PLAIN, job)


@pytest.mark.parametrize("refactoring", DROPPING, ids=_kind)
def test_an_index_goes_and_is_told(refactoring: object) -> None:
    index = Index(name=HOST.beside("host_os"), columns=("os",), definition="")
    phases = _phases(refactoring, replace(PLAIN, indexes=(index,)))
    assert "host_os" in phases.why
    assert "host_os" in (phases.contract or "")


def test_generated_columns() -> None:
    for refactoring in (RENAME, REQUIRE, LOOKUP):
        assert "is generated" in _refused(replace(refactoring, column="made"))
    assert "no value yet" in _refused(replace(ADD, value="made"))
    assert "no value yet" in _refused(replace(REQUIRE, fill="made"))
    assert "no value yet" in _refused(replace(DROP, value="made"))
    assert "no value yet" in _refused(replace(CHANGE, new=(replace(SYSTEM, value="os || made"),)))


def test_values() -> None:
    assert "reads os" in _refused(
        replace(CHANGE, old=(OldColumn(name="os", value="system || os"),))
    )
    assert "does not have" in _refused(replace(CHANGE, new=(replace(SYSTEM, value="nothing"),)))
    assert "may be NULL" in _refused(replace(CHANGE, new=(replace(SYSTEM, not_null=True),)))
    assert "twice" in _refused(replace(CHANGE, new=(SYSTEM, SYSTEM)))
    assert "twice" in _refused(replace(CHANGE, new=(replace(SYSTEM, name="os"),)))
    assert "without a default" in _refused(replace(ADD, value=None))
    assert "without a default" in _refused(replace(ADD, value=None, default="NULL::text"))
    assert "NULL itself" in _refused(replace(REQUIRE, fill="NULL"))
    assert "NULL itself" in _refused(replace(REQUIRE, fill="trim(os)"))
    assert "already" in _refused(replace(REQUIRE, column="name"))


def test_serial_columns() -> None:
    assert "write every row" in _refused(replace(ADD, value=None, type="bigserial"))


@pytest.mark.parametrize("refactoring", [RENAME, CHANGE, ADD, LOOKUP], ids=_kind)
def test_a_published_table_is_told(refactoring: object) -> None:
    phases = _phases(refactoring, replace(PLAIN, publications=("feed",)))
    assert "published by feed" in phases.expand.sql


def test_dropped_columns() -> None:
    assert "could not insert" in _refused(replace(DROP, column="name", value=None))
    assert "fills itself" in _refused(replace(DROP, column="state", value="'x'"))
    assert "or NULL" in _refused(replace(DROP, column="name", value="NULL"))
    assert "or NULL" in _refused(replace(DROP, value="trim(os)"))
    assert _phases(replace(DROP, column="state", value=None)).strategy is Strategy.CATALOG


def test_lookups() -> None:
    assert "already" in _refused(replace(LOOKUP, into=HOST))
    assert "both called" in _refused(replace(LOOKUP, label="id"))


def _with_os(**changes: Any) -> TableSchema:
    return replace(
        PLAIN,
        columns=tuple(
            replace(each, **changes) if each.name == "os" else each for each in PLAIN.columns
        ),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "public.citext"},
        {"type": "numeric(9, 2)"},
        {"type": "jsonb"},
        {"type": "double precision"},
        {"type": "interval"},
        {"type": "text[]"},
        {"collation": "public.blind"},
    ],
    ids=str,
)
def test_a_lookup_of_values_that_are_equal_and_not_the_same(changes: dict[str, str]) -> None:
    assert "may be equal" in _refused(LOOKUP, _with_os(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "character varying(9)"},
        {"type": "timestamp(3) without time zone"},
        {"collation": '"C"'},
        {"collation": 'pg_catalog."de-x-icu"'},
        {"collation": '"de_DE"'},
    ],
    ids=str,
)
def test_a_lookup_of_values_that_are_equal_when_they_are_the_same(changes: dict[str, str]) -> None:
    _phases(LOOKUP, _with_os(**changes))


@pytest.mark.parametrize(
    "value",
    [
        "upper(os)",
        "os || name",
        "note.upper(name)",
        "nullif(name, '')",
        "name::jsonb ->> 'os'",
        "CASE WHEN name = '' THEN 'x' END",
        "substring(name, 'a')",
    ],
)
def test_a_value_that_may_be_null_does_not_become_not_null(value: str) -> None:
    for refactoring in (
        replace(ADD, value=value),
        replace(CHANGE, new=(replace(SYSTEM, value=value, not_null=True),)),
        replace(REQUIRE, column="note", fill=value),
    ):
        assert "may be NULL" in _refused(refactoring, WITH_NOTE)
    _phases(replace(ADD, value=value, not_null=False))


@pytest.mark.parametrize(
    "value",
    [
        "'x'::text",
        "name",
        "upper(trim(name))",
        "name || id::text",
        "coalesce(os, name)",
        "greatest(os, 'x')",
        "CASE WHEN os = 'a' THEN 'x' ELSE name END",
        "os IS NULL",
        "concat(os)",
    ],
)
def test_a_value_that_is_surely_there_may_become_not_null(value: str) -> None:
    _phases(replace(ADD, value=value))
    _phases(replace(REQUIRE, column="note", fill=value), WITH_NOTE)


@pytest.mark.parametrize("refactoring", [CHANGE, LOOKUP], ids=_kind)
def test_rows_that_a_policy_hides_would_be_dropped_or_shown(refactoring: object) -> None:
    assert "row security" in _refused(refactoring, replace(PLAIN, row_security=True))


@pytest.mark.parametrize("refactoring", [RENAME, ADD, REQUIRE], ids=_kind)
def test_row_security_stays_where_its_owner_sees_every_row(refactoring: object) -> None:
    secure = replace(PLAIN, row_security=True, policies=("own",))
    _phases(refactoring, secure)
    assert "FORCE" in _refused(refactoring, replace(secure, row_security_forced=True))
