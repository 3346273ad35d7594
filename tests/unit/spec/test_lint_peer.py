"""squawk, a linter of migrations that knows one file at a time, told the same statements.

Whatever it finds, the safety lint finds on the same line, or knows why it is no harm.
"""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.unit.spec.lint_product import S, told
from tests.unit.spec.test_lint_rules import EXPAND

CONSTRAINT = ("lint-constraint-scan", "lint-constraint-index", "lint-validate-together")
RULES: dict[str, tuple[str, ...]] = {
    "adding-field-with-default": ("lint-column-rewrite",),
    "adding-foreign-key-constraint": ("lint-constraint-scan",),
    "adding-not-nullable-field": ("lint-set-not-null",),
    "adding-required-field": ("lint-not-null-column",),
    "ban-alter-domain-with-add-constraint": ("lint-constraint-scan", "lint-narrows"),
    "ban-alter-identity": ("lint-narrows",),
    "ban-drop-column": ("lint-removes",),
    "ban-drop-default": ("lint-narrows",),
    "ban-drop-function": ("lint-removes",),
    "ban-drop-schema": ("lint-removes",),
    "ban-drop-table": ("lint-removes",),
    "ban-drop-type": ("lint-removes",),
    "ban-drop-view": ("lint-removes",),
    "ban-set-schema": ("lint-renames",),
    "changing-column-type": ("lint-type-rewrite",),
    "constraint-missing-not-valid": CONSTRAINT,
    "disallowed-unique-constraint": ("lint-constraint-index",),
    "renaming-column": ("lint-renames",),
    "renaming-object": ("lint-renames",),
    "renaming-table": ("lint-renames",),
    "require-concurrent-index-creation": ("lint-index-lock",),
    "require-concurrent-index-deletion": ("lint-index-drop",),
    "require-concurrent-reindex": ("lint-reindex",),
}
# Matters of taste, and of the runner, which sets the timeouts itself.
OTHERS = (
    "prefer-",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-enum-value-ordering",
)

# What the safety lint knows of the chain, of the file as a whole or of PostgreSQL, and squawk does not.
HARMLESS = {
    "cascade": "the file made the table",
    "drop a new column": "the file made the column",
    "drop a new index": "the file made the table",
    "foreign key of a new column": "the column is NULL in every row",
    "function replaced": "the same file makes it again, with the same arguments",
    "function replaced with a default": "the same calls still work",
    "index without those of the partitions": "ON ONLY builds nothing on a partitioned table",
    "index of a renamed table": "a view takes the table's name",
    "not null of what is so": "the chain made the column NOT NULL",
    "rename index": "no statement names an index",
    "rename table under a view": "a view takes the table's name",
    "required column of a new table": "the file made the table",
    "type that keeps the rows": "varchar(20) to text rewrites nothing",
    "view replaced": "the same file makes it again",
    "virtual": "a virtual column is not stored",
}


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, str]]]:
    """Line and rule of all that squawk finds, by the name of the case."""
    directory = tmp_path_factory.mktemp("squawk")
    files = {directory / f"{at:03}.sql": case for at, case in enumerate(EXPAND)}
    for path, case in files.items():
        path.write_text(EXPAND[case][0])
    squawk = Path(sysconfig.get_path("scripts")) / "squawk"
    done = subprocess.run(
        [squawk, "--reporter", "json", "--assume-in-transaction", "--pg-version", "15", *files],
        check=False, capture_output=True, text=True, cwd=directory,
    )  # fmt: skip
    found: dict[str, set[tuple[int, str]]] = {case: set() for case in EXPAND}
    for violation in json.loads(done.stdout):
        if not violation["rule_name"].startswith(OTHERS):
            case = files[Path(violation["file"])]
            found[case].add((violation["line"] + 1, violation["rule_name"]))
    return found


@pytest.mark.parametrize("case", EXPAND)
def test_squawk_finds_no_more(case: str, peer: dict[str, set[tuple[int, str]]]) -> None:
    ours = set(told((S(sql=EXPAND[case][0]),)))
    missed = [
        (line, rule)
        for line, rule in sorted(peer[case])
        if not any(f"{line} {code}" in ours for code in RULES[rule])
    ]
    assert bool(missed) == (case in HARMLESS), missed
