"""What hangs on a column or a table without a word in most schemas: carried exactly, or refused."""

from collections.abc import Callable
from typing import Any

import pytest

from toolchain.model.refactoring import (
    AddConstraint,
    ChangeColumns,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    ExtractLookup,
    MergeTables,
    MoveColumns,
    NewColumn,
    OldColumn,
    Part,
    RenameTable,
    SplitTable,
)
from toolchain.model.relation_name import RelationName
from toolchain.refactor.generate import generate
from toolchain.refactor.phases import Phases, UnableError
from toolchain.spec.schema.replay import Replay

HOST = RelationName("public", "host")
MODEL = RelationName("public", "model")
TABLES = """
CREATE TABLE model (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
CREATE TABLE host (
    id bigint PRIMARY KEY, name text NOT NULL, os text, cpu int, size int,
    model int NOT NULL REFERENCES model
);
CREATE INDEX ON host (model);
CREATE TABLE part (host bigint PRIMARY KEY REFERENCES host ON DELETE CASCADE, os2 text, cpu2 int);
"""
SPLIT = SplitTable(table=HOST, into=(Part(table=HOST.beside("hw"), columns=("cpu", "size")),))
MOVE = MoveColumns(table=HOST, columns=("cpu",), along=("model",), to=MODEL)
CHANGE = ChangeColumns(
    table=HOST,
    old=(OldColumn(name="cpu", value="cores"),),
    new=(NewColumn(name="cores", type="int", value="cpu"),),
)
LOOKUP = ExtractLookup(table=HOST, column="os", into=HOST.beside("systems"), reference="system")
DROP = DropColumn(table=HOST, column="cpu")
DROP_TABLE = DropTable(table=HOST.beside("part"))
MERGE = MergeTables(tables=(HOST.beside("part"),), into=HOST)
DROPPING = (SPLIT, MOVE, CHANGE, DROP)
ENDING = (DROP_TABLE, MERGE)


def phases(refactoring: Any, *texts: str) -> Phases:
    replay = Replay()
    for text in (TABLES, *texts):
        replay.apply(text)
    return generate("it", refactoring, replay.schema)


def refused(refactoring: object, *texts: str) -> str:
    phases(refactoring)
    with pytest.raises(UnableError) as caught:
        phases(refactoring, *texts)
    assert caught.value.cure
    return caught.value.message


def kind(refactoring: object) -> str:
    return type(refactoring).__name__


@pytest.mark.parametrize("refactoring", DROPPING, ids=kind)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE host ADD CONSTRAINT wide UNIQUE (name) INCLUDE (cpu)", "wide"),
        ("ALTER TABLE host DROP CONSTRAINT host_pkey CASCADE, ADD CONSTRAINT pk PRIMARY KEY (id)"
         " INCLUDE (cpu)", "pk"),
        ("CREATE TRIGGER t BEFORE INSERT ON host FOR EACH ROW WHEN (NEW.cpu > 1)"
         " EXECUTE FUNCTION f()", "WHEN"),
        ("CREATE FUNCTION most() RETURNS int RETURN (SELECT max(cpu) FROM host)",
         "the function public.most"),
        ("CREATE PUBLICATION p FOR TABLE host (id, cpu)", "publication"),
        ("ALTER TABLE host ADD twice int GENERATED ALWAYS AS (cpu * 2) STORED", "generated"),
        ("ALTER TABLE host ADD EXCLUDE USING btree (cpu WITH =, name WITH =)", "host_cpu_name_excl"),
    ],
)  # fmt: skip
def test_what_a_contract_would_drop_or_fail_at(refactoring: object, text: str, words: str) -> None:
    assert words in refused(refactoring, text)


@pytest.mark.parametrize("refactoring", ENDING, ids=kind)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CREATE FUNCTION f() RETURNS int RETURN (SELECT max(cpu2) FROM part)",
         "the function public.f"),
        ("CREATE TABLE archive (old public.part)", "old of public.archive"),
        ("CREATE TABLE archive (old part[])", "old of public.archive"),
        ("ALTER TABLE part ADD n serial; CREATE TABLE other (n int DEFAULT nextval('part_n_seq'))",
         "n of public.other"),
    ],
)  # fmt: skip
def test_who_needs_a_table_that_ends(refactoring: object, text: str, words: str) -> None:
    assert words in refused(refactoring, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE part ADD CHECK (cpu2 > 0) NOT VALID", "part_cpu2_check is NOT VALID"),
        ("ALTER TABLE part ADD FOREIGN KEY (cpu2) REFERENCES model NOT VALID",
         "part_cpu2_fkey is NOT VALID"),
        ("ALTER TABLE part ALTER cpu2 SET DEFAULT 7", "cpu2 of public.part has the default 7"),
        ("ALTER TABLE part ADD n serial", "n of public.part has the default nextval"),
        ("CREATE DOMAIN seven AS int DEFAULT 7; ALTER TABLE part ADD n seven",
         "n of public.part has the default 7"),
    ],
)  # fmt: skip
def test_what_a_merge_would_lose(text: str, words: str) -> None:
    assert words in refused(MERGE, text)


def test_a_merge_carries_a_foreign_key() -> None:
    text = (
        "ALTER TABLE part ADD k int, ADD FOREIGN KEY (cpu2, k) REFERENCES model (a, b) MATCH FULL"
    )
    contract = phases(MERGE, f"{text} DEFERRABLE INITIALLY DEFERRED").contract or ""
    assert "(a, b) MATCH FULL\n" in contract
    assert "DEFERRABLE INITIALLY DEFERRED NOT VALID" in contract


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE host SET UNLOGGED", "UNLOGGED"),
        ("CREATE DOMAIN seven AS int DEFAULT 7; ALTER TABLE host ALTER cpu TYPE seven",
         "has the default 7 of its domain"),
        ("ALTER TABLE host ADD CHECK (cpu > 0) NOT ENFORCED", "is NOT ENFORCED"),
        ("CREATE TYPE hw AS (a int)", "public.hw is there already"),
        ("CREATE TYPE hw AS ENUM ('a')", "public.hw is there already"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_split(text: str, words: str) -> None:
    assert words in refused(SPLIT, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("UNIQUE NULLS NOT DISTINCT (cpu) INCLUDE (size)", None),
        ("CHECK (cpu > size) NO INHERIT", None),
        ("FOREIGN KEY (cpu, size) REFERENCES model (a, b) MATCH FULL ON DELETE SET NULL (size)",
         "FOREIGN KEY (cpu, size) REFERENCES public.model (a, b) MATCH FULL"
         " ON DELETE SET NULL (size)"),
    ],
)  # fmt: skip
def test_a_part_has_its_constraints_word_for_word(text: str, words: str | None) -> None:
    migrate = phases(SPLIT, f"ALTER TABLE host ADD CONSTRAINT own {text}").migrate
    assert migrate is not None
    assert f"CONSTRAINT own{'_next' if 'UNIQUE' in text else ''} {words or text}" in migrate.begin


def test_a_deferrable_foreign_key_of_a_part_is_immediate_in_the_end() -> None:
    text = "ALTER TABLE host ADD CONSTRAINT own FOREIGN KEY (cpu) REFERENCES model"
    back = "ALTER CONSTRAINT own DEFERRABLE INITIALLY IMMEDIATE;"
    assert back in (phases(SPLIT, f"{text} DEFERRABLE").contract or "")
    for words in ("", " INITIALLY DEFERRED"):
        assert back not in (phases(SPLIT, text + words).contract or "")


@pytest.mark.parametrize("refactoring", [CHANGE, LOOKUP], ids=kind)
def test_a_default_of_the_old_form_is_told(refactoring: object) -> None:
    column = "cpu" if refactoring is CHANGE else "os"
    text = f"ALTER TABLE host ALTER {column} SET DEFAULT '7'"
    assert f"the contract drops the default of {column}" in phases(refactoring, text).why


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE host ALTER cpu SET NOT NULL, ALTER cpu ADD GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE host DROP cpu, ADD cpu serial",
    ],
)
def test_numbers_that_nothing_would_draw(text: str) -> None:
    assert "its numbers are drawn no more" in refused(CHANGE, text)


def test_the_undo_of_a_dropped_constraint_is_the_same_constraint() -> None:
    drop = DropConstraint(table=HOST, name="own")

    def undo(words: str) -> str:
        return phases(drop, f"ALTER TABLE host ADD CONSTRAINT own {words}").expand.undo or ""

    reference = undo(
        "FOREIGN KEY (cpu, size) REFERENCES model (a, b) MATCH FULL INITIALLY DEFERRED"
    )
    assert "(a, b) MATCH FULL DEFERRABLE INITIALLY DEFERRED\n    NOT VALID;" in reference
    assert "CHECK (cpu > 0) NO INHERIT\n    NOT VALID;" in undo("CHECK (cpu > 0) NO INHERIT")
    assert "CHECK (cpu > 0)\n    NOT ENFORCED;" in undo("CHECK (cpu > 0) NOT ENFORCED")


EXCLUDE = "ALTER TABLE host ADD CONSTRAINT apart EXCLUDE USING btree (cpu WITH =)"


def test_an_exclusion_constraint_is_dropped_as_one() -> None:
    dropped = phases(DropConstraint(table=HOST, name="apart"), EXCLUDE)
    assert "DROP CONSTRAINT apart;" in (dropped.contract or "")
    with pytest.raises(UnableError, match="belongs to an exclusion constraint"):
        phases(DropIndex(index=HOST.beside("apart")), EXCLUDE)
    with pytest.raises(UnableError, match="has a constraint apart already"):
        phases(AddConstraint(table=HOST, name="apart", check="cpu > 0"), EXCLUDE)


UNABLE: tuple[tuple[Callable[[], Phases], str], ...] = (
    (lambda: phases(AddConstraint(table=HOST, name="u", unique=("cpu", "cpu"))), "a column twice"),
    (lambda: phases(RenameTable(table=HOST, to="t"), "CREATE DOMAIN t AS int"), "already"),
)


@pytest.mark.parametrize(("attempt", "words"), UNABLE)
def test_other_names(attempt: Callable[[], Phases], words: str) -> None:
    with pytest.raises(UnableError, match=words):
        attempt()
