"""`scripts/bench rehearse`: chains of generated releases rehearsed on a scratch PostgreSQL.

Each release replaces a column by another (expand, a batched migrate, and the contract of the
column before), and its server has 20 statements, five of which name that column, all with samples
or seeds. Timed is the whole command: reading the specs, starting PostgreSQL, walking every state,
trying every server in each, the fresh installs, the report, and the putting away.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import markdown, platform_line, scratch_directory

REPOSITORY = Path(__file__).parents[2]
PRODUCT = """\
product: bench
summary: A generated chain
description: Each release replaces one column by another.
maintainer: Bench <bench@example.com>
homepage: https://example.com
licence: MIT
copyright: Bench
rollout: database-first
skew: 1
targets:
  deb: {architectures: [all]}
"""
TABLES = 5
ROWS = 20
# Statements that name the release's own column.
NAMING = {
    "get": "SELECT id, name, COLUMN FROM host WHERE id = %(id)s",
    "set": "UPDATE host SET COLUMN = upper(COLUMN) WHERE id = %(id)s",
    "find": "SELECT count(*) FROM host WHERE COLUMN = 'v' AND id = %(id)s",
    "join": "SELECT t0.name, COLUMN FROM t0 JOIN host USING (id) WHERE id = %(id)s",
}
# Both columns are in the row, so one trigger keeps them equal for writers of either.
SYNC = """
CREATE FUNCTION public.sync_LATER() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.LATER := coalesce(NEW.LATER, NEW.EARLIER);
        NEW.EARLIER := NEW.LATER;
    ELSIF NEW.LATER IS DISTINCT FROM OLD.LATER THEN
        NEW.EARLIER := NEW.LATER;
    ELSE
        NEW.LATER := NEW.EARLIER;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sync_LATER BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.sync_LATER();"""
MOVE = "UPDATE public.host SET NEW = OLD WHERE id BETWEEN $1 AND $2;"


def write_chain(root: Path, count: int) -> Path:
    """Write a product of so many releases."""
    (root / "sql").mkdir(parents=True)
    (root / "product.yaml").write_text(PRODUCT)
    (root / "web").write_text("#!/bin/sh\n")
    for number in range(count):
        _write_release(root, number)
    return root


def _write_release(root: Path, number: int) -> None:
    add = f"ALTER TABLE public.host ADD COLUMN c{number} text;"
    steps = {"expand": [(f"c{number}", add)], "migrate": [], "contract": []}
    if number == 0:
        tables = "".join(
            f"CREATE TABLE public.t{table} (id bigint PRIMARY KEY, name text, data jsonb);\n"
            for table in range(TABLES)
        )
        base = "CREATE TABLE public.host (id bigint PRIMARY KEY, name text NOT NULL, c0 text);\n"
        steps["expand"] = [("c0", base + tables)]
    else:
        sync = SYNC.replace("LATER", f"c{number}").replace("EARLIER", f"c{number - 1}")
        steps["expand"] = [(f"c{number}", add + sync)]
        move = MOVE.replace("NEW", f"c{number}").replace("OLD", f"c{number - 1}")
        steps["migrate"] = [(f"c{number}", move)]
    if number > 1:
        sync = f"public.sync_c{number - 1}"
        quiet = f"DROP TRIGGER sync_c{number - 1} ON public.host;\nDROP FUNCTION {sync}();\n"
        old = f"{quiet}ALTER TABLE public.host DROP COLUMN c{number - 2};"
        steps["contract"] = [(f"c{number - 1}", old)]
    lines = [
        f"release: 1.{number}.0",
        f"date: {date(2020, 1, 1) + timedelta(days=number)}",
        "changelog: [News.]",
        "schema:",
        f"  version: {number + 1}",
    ]
    for phase, listed in steps.items():
        lines += [f"  {phase}:"] if listed else []
        for change, sql in listed:
            path = root / "sql" / f"{change}.{phase}.sql"
            path.write_text(sql + "\n")
            batch = ", batch: {table: public.host, key: id}" if phase == "migrate" else ""
            lines.append(f"    - {{change: {change}, sql: sql/{path.name}{batch}}}")
    lines += [
        "server:",
        "  binaries: [{source: web, target: /usr/bin/bench}]",
        f"  statements: 1.{number}.0.sql",
        # What a server writes is kept equal for the one before it, and no further.
        f'compatibility: {{server: {{peers: ">= 1.{max(number - 1, 0)}.0"}}}}',
    ]
    (root / f"1.{number}.0.yaml").write_text("\n".join(lines) + "\n")
    (root / f"1.{number}.0.sql").write_text("".join(_statements(number)))


def _statements(number: int) -> Iterator[str]:
    column = f"c{number}"
    seeds = "".join(
        f'-- seed: {{"id": {1000 + number * ROWS + row}, "value": "v"}}\n' for row in range(ROWS)
    )
    yield f'-- name: add\n-- sample: {{"id": 1, "value": "v"}}\n{seeds}'
    yield "INSERT INTO host (id, name, COLUMN) VALUES (%(id)s, 'n', %(value)s);\n".replace(
        "COLUMN", column
    )
    for name, text in NAMING.items():
        statement = text.replace("COLUMN", column)
        yield f'-- name: {name}\n-- sample: {{"id": 1}}\n{statement};\n'
    for table in range(TABLES):
        yield (
            f'-- name: put-{table}\n-- sample: {{"id": 1, "data": {{"k": 1}}}}\n'
            f"INSERT INTO t{table} (id, data) VALUES (%(id)s, %(data)s)"
            " ON CONFLICT (id) DO UPDATE SET data = excluded.data;\n"
            f'-- name: get-{table}\n-- sample: {{"id": 1}}\n'
            f"SELECT id, data FROM t{table} WHERE id = %(id)s;\n"
            f'-- name: drop-{table}\n-- sample: {{"id": 1}}\n'
            f"DELETE FROM t{table} WHERE id = %(id)s;\n"
        )


def rehearse(product: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of one rehearsal, and its answer; one that finds a difference ends the benchmark."""
    began = time.perf_counter()
    run = subprocess.run(
        (sys.executable, "-m", "toolchain", "rehearse", str(product), "--json"),
        cwd=REPOSITORY,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if run.returncode:
        sys.exit(f"bench: the rehearsal exited with {run.returncode}:\n{run.stdout}{run.stderr}")
    answer: dict[str, Any] = json.loads(run.stdout)
    return seconds, answer


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `scripts/bench rehearse`."""
    parser.add_argument("--releases", type=int, nargs="+", default=[10, 30, 60])
    parser.add_argument("--runs", type=int, default=3)


def main(options: argparse.Namespace) -> None:
    """The table of `scripts/bench rehearse`."""
    rows = []
    version = ""
    with scratch_directory() as scratch:
        for count in options.releases:
            product = write_chain(scratch / str(count), count)
            timed = [rehearse(product) for _ in range(options.runs)]
            answer = timed[0][1]
            version = answer["postgresql"]["version"]
            states, pairs = len(answer["states"]), len(answer["pairs"])
            seconds = statistics.median(each for each, _ in timed)
            figures = (str(count), str(states), str(pairs), f"{20 * pairs:,}")
            rows.append((*figures, f"{seconds:.1f}"))
    print(f"{platform_line()}, PostgreSQL {version}, median of {options.runs} runs")
    markdown(
        "Every server at every state, half-way states included",
        ("releases", "states", "pairs", "statements in all pairs", "seconds"),
        rows,
    )
