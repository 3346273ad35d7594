"""The shape of a spec: unknown, missing and misshapen parts, each told once with a cure."""

from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, changed, expect_one, problems, told

P, R = "product.yaml", "4.1.0.yaml"

CASES = {
    "unknown key": (P, "skew: 1", "skwe: 1", "10 unknown-key", ("'skwe'", "write skew")),
    "far from any": (P, "skew: 1", "x: 1", "10 unknown-key", ("'x'", "the keys here are product")),
    "another's word": (P, "skew: 1", "license: MIT", "10 unknown-key", ("write licence",)),
    "phase": (R, "expand:", "expnad:", "9 unknown-key", ("write expand",)),
    "undo of a contract": (
        R, "{change: os-name, sql: sql/12-drop-os-name.sql}",
        "{change: os-name, sql: sql/12-drop-os-name.sql, undo: sql/x.sql}",
        "17 unknown-key", ("a contract cannot be undone",),
    ),
    "batch of an expand": (
        R, "{change: split-host, sql: sql/12-split-host.sql,",
        "{change: split-host, sql: sql/12-split-host.sql, batch: {table: a, key: b},",
        "10 unknown-key", ("only a migrate step",),
    ),
    "missing": (P, "homepage: https://fleetdesk.example.com\n", "", "1 missing-key",
                ("'homepage' is missing", "add it, for example homepage: \"https")),
    "missing below": (R, "  version: 12\n", "", "8 missing-key",
                      ("'version'", "for example version: 12")),
    "no value": (P, "skew: 1", "skew:", "10 no-value", ("write a whole number, for example 1",)),
    "null": (P, "summary: Systems management for fleets of hosts", "summary: null", "2 no-value",
             ("for example",)),
    "empty text": (P, "Apache-2.0", '""', "7 licence", ("SPDX",)),
    "list for text": (P, "Apache-2.0", "[Apache-2.0]", "7 wrong-type", ("write text",)),
    "text for a list": (P, "[debian-12]", "debian-12", "12 wrong-type", ("write a list",)),
    "keys for text": (P, "Apache-2.0", "{id: MIT}", "7 wrong-type", ("here are keys",)),
    "word for a number": (P, "skew: 1", "skew: one", "10 wrong-type", ("'one'", "a whole number")),
    "quoted number": (P, "skew: 1", 'skew: "1"', "10 wrong-type", ("without quotes",)),
    "octal number": (P, "skew: 1", "skew: 0o17", "10 wrong-type", ("'0o17'",)),
    "padded number": (P, "skew: 1", "skew: 01", "10 wrong-type", ("'01'",)),
    "endless number": (P, "skew: 1", f"skew: {'9' * 5000}", "10 wrong-type", ("a whole number",)),
    "fraction": (R, "version: 12", "version: 12.0", "8 wrong-type", ("'12.0'",)),
    "yes": (P, "skew: 1", "skew: 1\nprotect: yes", "11 wrong-type", ("write true or false",)),
    "too small": (P, "skew: 1", "skew: -1", "10 out-of-range", ("write 0 or more",)),
    "too large": (R, "revision: 2", "revision: 10000", "3 out-of-range", ("write 9999 or less",)),
    "choice": (P, "database-first", "databasefirst", "9 wrong-value", ("write database-first",)),
    "far choice": (P, "database-first", "x", "9 wrong-value", ("write one of database-first, any",)),
    "no targets": (P, "  deb: {architectures: [all], distributions: [debian-12], compression: zstd:3}\n"
                   "  rpm: {architectures: [all]}", "  {}", "12 out-of-range", ("empty",)),
    "no changelog": (R, "\n  - Hosts are split into hardware and network tables.", " []",
                     "4 out-of-range", ("write 1 or more",)),
    "long summary": (P, "Systems management", "S" * 81, "2 out-of-range", ("80 or fewer",)),
    "no operation": (R, "{change: os-name, sql: sql/12-drop-os-name.sql}", "{change: os-name}",
                     "17 operation", ("has no SQL", "add sql")),
    "architecture twice": (P, "{architectures: [all]}", "{architectures: [amd64, amd64]}",
                           "13 duplicate-item", ("'amd64'",)),
    "all beside others": (P, "{architectures: [all]}", "{architectures: [all, amd64]}",
                          "13 architectures", ("write 'all' alone",)),
    "distribution twice": (P, "[debian-12]", "[debian-12, debian-12]", "12 duplicate-item",
                           ("keep one",)),
    "unit twice": (R, "[network-online.target]", "[a.service, a.service]", "29 duplicate-item",
                   ("'a.service'",)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_structure(tmp_path: Path, case: str) -> None:
    name, old, new, start, words = CASES[case]
    expect_one(tmp_path, changed(name, old, new), f"{name}:{start}", *words)


def test_the_path_in_the_document_is_given(tmp_path: Path) -> None:
    files = changed(
        R, "batch: {table: public.host, key: id}", "batch: {table: public.host, keys: id}"
    )
    found = problems(tmp_path, files)
    assert [problem.path for problem in found] == [
        "schema.migrate[0].batch.key",
        "schema.migrate[0].batch.keys",
    ]


def test_a_document_that_is_no_mapping(tmp_path: Path) -> None:
    assert "4.1.0.yaml:1 wrong-type" in told(tmp_path, {**SAMPLE, R: "- release: 4.1.0\n"})[0]
    assert "4.1.0.yaml:1 wrong-type" in told(tmp_path, {**SAMPLE, R: "4.1.0\n"})[0]


def test_a_version_under_another_word(tmp_path: Path) -> None:
    unknown, missing = sorted(
        told(tmp_path, changed(R, "release: 4.1.0", "version: 1.10")), reverse=True
    )
    assert unknown.endswith("there is no key 'version' here; write release")
    assert missing.endswith("the key 'release' is missing; add it, for example release: \"4.1.0\"")


def test_an_alias_is_told_once(tmp_path: Path) -> None:
    expect_one(tmp_path, changed(R, "date: 2026-05-04", "date: *day"), f"{R}:2 yaml-alias")
