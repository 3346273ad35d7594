"""A product of three releases whose second declares a refactoring; only what a test is about."""

from dataclasses import dataclass

from tests.unit.spec.chains import PRODUCT
from tests.unit.spec.memory import Memory
from toolchain.spec.load import Checked, check_product

TABLES = """\
CREATE TYPE public.state AS ENUM ('new', 'done');
CREATE FUNCTION public.f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE public.host (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    os text,
    cpu integer CHECK (cpu >= 0),
    memory integer,
    state public.state
);
CREATE TABLE public.disk (
    host_id bigint PRIMARY KEY REFERENCES public.host (id) ON DELETE CASCADE,
    disk_size integer NOT NULL
);
CREATE TABLE public.job (
    id bigint PRIMARY KEY,
    host_id bigint NOT NULL REFERENCES public.host (id),
    host_note text,
    priority integer DEFAULT 1
);
CREATE INDEX host_by_name ON public.host (name);
CREATE INDEX job_by_host ON public.job (host_id);
"""
SPLIT = "split_table: {table: host, into: {hardware: {columns: [cpu, memory]}}}"


@dataclass(frozen=True, kw_only=True)
class Specs:
    """Releases 1.0.0, 1.1.0 and 1.2.0; the operation stands in line 9 of the second.

    `before` is another step of 1.0.0, `beside` one of 1.1.0, `later` one of 1.2.0, and `raw` what
    b.sql holds.
    """

    expand: str
    migrate: str | None = "change: it"
    migrate_with: str = "1.1.0"
    contract: str | None = "change: it"
    raw: str = "SELECT 1;\n"
    before: str | None = None
    beside: str | None = None
    later: str | None = None
    statements: str = ""
    second_statements: str = ""

    def files(self) -> dict[str, bytes]:
        """The product's files by path."""
        before = f"\n    - change: before\n      {self.before}" if self.before else ""
        tables = f"change: tables\n      sql: a.sql{before}"
        first = _release("1.0.0", "2026-01-01", 1, {"expand": tables})
        beside = f"\n    - change: other\n      {self.beside}" if self.beside else ""
        steps = {"expand": f"change: it\n      {self.expand}{beside}"}
        later: dict[str, str] = {}
        if self.later is not None:
            later["expand"] = f"change: later\n      {self.later}"
        if self.migrate is not None:
            (steps if self.migrate_with == "1.1.0" else later)["migrate"] = self.migrate
        if self.contract is not None:
            later["contract"] = self.contract
        texts = {
            "product.yaml": PRODUCT.format(rollout="database-first", skew=1),
            "web": "#!/bin/sh\n",
            "a.sql": TABLES,
            "b.sql": self.raw,
            "one.sql": self.statements,
            "two.sql": self.second_statements,
            "1.0.0.yaml": first + ("  statements: one.sql\n" if self.statements else ""),
            "1.1.0.yaml": _release("1.1.0", "2026-02-01", 2, steps)
            + ("  statements: two.sql\n" if self.second_statements else ""),
            "1.2.0.yaml": _release("1.2.0", "2026-03-01", 3 if later else 2, later),
        }
        return {name: text.encode() for name, text in texts.items()}

    def check(self) -> Checked:
        """What the check finds."""
        return check_product(Memory(self.files()), {})

    def told(self) -> list[str]:
        """Each problem as `1.1.0.yaml:9 code: message; cure`."""
        return [
            f"{problem.origin.file.removeprefix('product/')}:{problem.origin.line}"
            f" {problem.code.value}: {problem.message}; {problem.cure}"
            for problem in self.check().problems
        ]

    def sql(self, step: str) -> str:
        """The SQL of a step of a sound product."""
        checked = self.check()
        assert checked.product is not None, checked.problems
        return next(
            each.sql.text or ""
            for release in checked.product.releases
            for each in release.database.steps
            if each.id == step
        )


def _release(version: str, day: str, schema: int, steps: dict[str, str]) -> str:
    lines = [f"release: {version}", f"date: {day}", "changelog: [News.]", "schema:"]
    lines += [f"  version: {schema}", "  # what changes"]
    for phase in ("expand", "migrate", "contract"):
        if phase in steps:
            lines += [f"  {phase}:", f"    - {steps[phase]}"]
    return "\n".join([*lines, "server:", "  binaries: [{source: web, target: /usr/bin/demo}]", ""])
