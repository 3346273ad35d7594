"""SQL inside a refactoring is one expression or one type, and nothing else gets through."""

import pytest

from toolchain.spec.problem import Complaint
from toolchain.spec.refactoring.expressions import expression, type_name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("os || ' ' || os_version", "os || ' ' || os_version"),
        ("memory / 2 -- halves", "memory / 2"),
        ("split_part(os,' ',1)", "split_part(os, ' ', 1)"),
        ("'it''s'", "'it''s'"),
        ("CASE WHEN a > 0 THEN b END", "CASE WHEN a > 0 THEN b END"),
        ('"Name"', '"Name"'),
    ],
)
def test_expressions(text: str, written: str) -> None:
    assert expression(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "", "1), (2", "1; DROP TABLE host", "(SELECT 1)", "$1", "host.name", "count(*)", "1 AS x", "*",
        "sum(x) OVER ()", "a FROM b", "a, b", "a WHERE b", "DISTINCT a", "1 UNION SELECT 2", "'open",
        "a /* b", "max(a)", "string_agg(a, ',')", "1) --", "EXISTS (SELECT)",
    ],
)  # fmt: skip
def test_no_expressions(text: str) -> None:
    with pytest.raises(Complaint):
        expression(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("bigint", "bigint"), ("numeric(10, 2)[]", "numeric(10, 2)[]"), ("my.kind", "my.kind"),
        ("timestamp with time zone", "timestamptz"),
    ],
)  # fmt: skip
def test_types(text: str, written: str) -> None:
    assert type_name(text).replace("timestamp with time zone", "timestamptz") == written


@pytest.mark.parametrize(
    "text", ["", "text) , (1", "int; drop", "text COLLATE x", "int NOT NULL", "text) FROM (a"]
)
def test_no_types(text: str) -> None:
    with pytest.raises(Complaint):
        type_name(text)
