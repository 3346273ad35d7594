"""The statements of a server: taken apart, named, sampled, and checked by PostgreSQL's parser."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.postgres.rehearsal_products import BASE, Spec, write_chain
from toolchain.build.product import open_product
from toolchain.build.targets import plan_packages
from toolchain.edge.directory import Directory
from toolchain.model.statement import Earlier, Probe
from toolchain.spec.load import check_product
from toolchain.spec.statements.annotations import Misplaced, annotations_of
from toolchain.spec.statements.written import MixedError, take_apart


def sql_of(text: str) -> list[str]:
    return [" ".join(written.sql.split()) for written in take_apart(text).statements]


# Taking apart -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sql", "names"),
    [
        ("SELECT $2, $1", "SELECT $2, $1", ("1", "2")),
        ("SELECT %(b)s, %(a)s, %(b)s", "SELECT $1 , $2 , $1", ("b", "a")),
        ("SELECT %s, %b, %t", "SELECT $1, $2, $3", ("1", "2", "3")),
        ("SELECT 5 % 2, 'a %s', '%%'", "SELECT 5 % 2, 'a %s', '%%'", ()),
        ("SELECT 5 %% %(n)s, '100%%'", "SELECT 5 % $1 , '100%'", ("n",)),
        ("SELECT E'it\\'s; %(a)s', %(b)s", "SELECT E'it\\'s; %(a)s', $1", ("b",)),
        ("SELECT $$a; %(b)s$$, $t$;$t$, $1", "SELECT $$a; %(b)s$$, $t$;$t$, $1", ("1",)),
        ('SELECT "a;""b" /* ; */ -- ;\n', 'SELECT "a;""b"', ()),
        ("SELECT name$1, $1", "SELECT name$1, $1", ("1",)),
    ],
)
def test_parameters_in_every_style(text: str, sql: str, names: tuple[str, ...]):
    (written,) = take_apart(text).statements
    assert " ".join(written.sql.split()) == sql
    assert written.names == names


def test_statements_are_parted_by_semicolons_and_keep_their_comments():
    text = "-- head\n\n-- name: one\nSELECT 1;;\n-- name: two\n SELECT 2 -- tail\n;\n-- end\n"
    one, two = take_apart(text).statements
    assert (one.text, two.text) == ("SELECT 1", "SELECT 2")
    assert [comment.text for comment in one.comments] == ["head", "name: one"]
    assert [comment.text for comment in two.comments] == ["name: two"]
    assert text[two.index :].startswith("SELECT 2")


def test_places_stay_where_the_author_sees_them():
    text = "SELECT %(name)s,\n  %(other)s FROM nowhere"
    assert take_apart(text).sql.index("FROM") == text.index("FROM")


def test_two_styles_in_one_file():
    with pytest.raises(MixedError) as caught:
        take_apart("SELECT $1; SELECT %(a)s;")
    assert caught.value.index == len("SELECT $1; SELECT ")


@given(st.text(alphabet="ab1%$()'\"s;-/*\n \\", max_size=60))
def test_nothing_breaks_the_taking_apart(text: str):
    try:
        taken = take_apart(text)
    except MixedError:
        return
    for written in taken.statements:
        assert written.text in text
        assert written.sql in taken.sql


# Comments -----------------------------------------------------------------------------------------


def annotations(text: str):
    return annotations_of(take_apart(text).statements[0])


def test_names_samples_and_seeds():
    found = annotations(
        '-- About it.\n-- name: put-host\n-- sample: {"a": 1, "b": [true, null, "x,y"]}\n'
        '-- sample: {"a": {"k": 1},\n--   "b": null}\n-- seed: ["t", []]\n'
        "SELECT %(a)s, %(b)s"
    )
    assert found.name == "put-host"
    assert found.samples == (("1", '{"true",NULL,"x,y"}'), ('{"k": 1}', None))
    assert found.seeds == (("t", "{}"),)


def test_a_value_may_come_from_an_earlier_statement():
    found = annotations('-- sample: [{"from": "put", "column": "id"}]\nSELECT $1')
    assert found.samples == ((Earlier(statement="put", column="id"),),)


@pytest.mark.parametrize(
    ("comments", "said"),
    [
        ("-- name: two words", "'two words' is not the name of a statement"),
        ("-- sample: {", "'{' is not JSON"),
        ("-- sample: [1]", "there are 1 values, and 2 are needed"),
        ('-- sample: {"a": 1}', "there is no value for 'b'"),
        ('-- sample: {"a": 1, "b": 2, "c": 3}', "the statement has no parameter 'c'"),
        ("-- sample: 3", "the values are neither a list nor an object"),
    ],
)
def test_comments_that_do_not_fit(comments: str, said: str):
    with pytest.raises(Misplaced) as caught:
        annotations(f"{comments}\nSELECT %(a)s, %(b)s")
    assert caught.value.complaint.message == said
    assert caught.value.complaint.cure


# In a product -------------------------------------------------------------------------------------


def problems(root: Path) -> list[str]:
    return [
        f"{problem.code.value} {str(problem.origin).removeprefix(str(root))}: {problem.message}"
        for problem in check_product(Directory(root), {}).problems
    ]


def one_release(root: Path, statements: str, **more: object) -> Path:
    spec = Spec(schema=1, steps={"expand:base": BASE}, statements=statements, **more)  # type: ignore[arg-type]
    return write_chain(root, {"1.0.0": spec})


def test_statements_of_a_release(tmp_path: Path):
    root = one_release(tmp_path / "p", "-- name: a\nSELECT %s;\nSELECT 2")
    (release,) = open_product(root).product.releases
    assert [(each.name, each.sql, each.parameters) for each in release.server.statements] == [
        ("a", "SELECT $1", 1),
        ("1.0.0-2", "SELECT 2", 0),
    ]
    assert str(release.server.statements[1].origin) == f"{root}/1.0.0.sql:3:1"


def test_a_directory_of_statements(tmp_path: Path):
    root = one_release(tmp_path / "p", "-- nothing")
    (root / "1.0.0.sql").unlink()
    (root / "1.0.0.sql").mkdir()
    (root / "1.0.0.sql/b.sql").write_text("SELECT 2;")
    (root / "1.0.0.sql/a.sql").write_text("SELECT 1;")
    (root / "1.0.0.sql/README").write_text("no SQL;")
    (release,) = open_product(root).product.releases
    assert [each.name for each in release.server.statements] == ["a-1", "b-1"]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ("SELECT 1 FORM host", "sql-syntax /1.0.0.sql:1:15: PostgreSQL says: syntax error"),
        ("-- only", "sql-empty /1.0.0.yaml:10:15: "),
        ("BEGIN; SELECT 1; COMMIT", "sql-transaction /1.0.0.sql:1:1: 'BEGIN' begins or ends"),
        ("SELECT :name", "sql-parameter /1.0.0.sql:1:8: ':name' is no parameter"),
        ("SELECT 1 WHERE a = ?", "sql-parameter /1.0.0.sql:1:21: '?' is no parameter"),
        ("SELECT $1;\nSELECT %s", "sql-parameter /1.0.0.sql:2:8: the file writes its parameters"),
        (
            "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2",
            "statement /1.0.0.sql:4:1: the name 'a' stands at",
        ),
        (
            '-- sample: [{"from": "b", "column": "c"}]\nSELECT $1',
            "statement /1.0.0.sql:2:1: the sample takes a value from 'b'",
        ),
        ("-- sample: [1, 2]\nSELECT $1", "statement /1.0.0.sql:1:1: there are 2 values"),
        ("-- sample: []\nCOPY host FROM STDIN", "statement /1.0.0.sql:2:1: COPY moves data"),
        ("SELECT 1 \x00", "control-character /1.0.0.sql:1:10: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, statements: str, said: str):
    root = one_release(tmp_path / "p", statements)
    (problem,) = problems(root)
    assert problem.startswith(said)


TAKES = '-- sample: [{"from": "put", "column": "id"}]\nSELECT $1;\n'


@pytest.mark.parametrize(
    "refused",
    [
        "-- name: put\n-- sample: [1, 2]\nSELECT $1 AS id;\n",
        "-- sample: [1, 2]\n-- name: put\nSELECT $1 AS id;\n",
        "-- name: put\n-- sample: []\nCOPY host FROM STDIN;\n",
    ],
    ids=["sample", "sample-above-name", "copy"],
)
def test_a_refused_statement_is_told_alone(tmp_path: Path, refused: str):
    """There is a sample, and what takes its values is not wrong for that."""
    root = one_release(tmp_path / "p", refused + TAKES + TAKES)
    (problem,) = problems(root)
    assert "takes a value from" not in problem
    root = one_release(tmp_path / "q", refused + TAKES.replace('"put"', '"other"'))
    assert sum("takes a value from 'other'" in problem for problem in problems(root)) == 1


def test_a_refused_file_is_told_alone(tmp_path: Path):
    root = one_release(tmp_path / "p", "-- nothing")
    (root / "1.0.0.sql").unlink()
    (root / "1.0.0.sql").mkdir()
    (root / "1.0.0.sql/a.sql").write_text("-- name: put\nSELECT 1 FORM host;\n")
    (root / "1.0.0.sql/b.sql").write_text(TAKES)
    (problem,) = problems(root)
    assert problem.startswith("sql-syntax /1.0.0.sql/a.sql:2:15: ")


def test_a_missing_file(tmp_path: Path):
    root = one_release(tmp_path / "p", "SELECT 1")
    (root / "1.0.0.sql").unlink()
    (problem,) = problems(root)
    assert problem.startswith("sql-missing /1.0.0.yaml:10:15: ")


def test_a_probe(tmp_path: Path):
    root = one_release(tmp_path / "p", "", probe="#!/bin/sh\n", timeout=5)
    (release,) = open_product(root).product.releases
    probe = release.server.probe
    assert isinstance(probe, Probe)
    assert (probe.command, probe.directory, probe.timeout) == (("./probe-1.0.0", "one"), ".", 5)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("[./nothing]", "source-missing "),
        ("[./web]", "mode "),
        ("[../web]", "path "),
        ("[]", "out-of-range "),
    ],
)
def test_a_probe_that_cannot_be_run(tmp_path: Path, command: str, said: str):
    root = one_release(tmp_path / "p", "")
    spec = root / "1.0.0.yaml"
    spec.write_text(spec.read_text() + f"  probe: {{command: {command}}}\n")
    (problem,) = problems(root)
    assert problem.startswith(said)


def test_statements_change_no_package(tmp_path: Path):
    """The key is for the rehearsal alone."""

    def packages(name: str, statements: str):
        opened = open_product(one_release(tmp_path / name, statements))
        product = opened.product
        planned = plan_packages(product, product.releases, opened.listing(), opened.sql())
        return [each.package for each in planned]

    assert packages("a", "") == packages("b", "SELECT 1")
