"""A small product whose one interesting step a test of the safety lint writes."""

import textwrap
from dataclasses import dataclass

from tests.unit.spec.chains import PRODUCT
from tests.unit.spec.memory import Memory
from toolchain.spec import Problem, check_product

BASE = """\
CREATE TABLE host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(20) NOT NULL,
    os text NOT NULL DEFAULT '',
    cpu integer,
    label text
);
CREATE TABLE job (id bigint PRIMARY KEY, host_id bigint, state text);
CREATE INDEX host_os ON host (os);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE VIEW host_names AS SELECT id, name FROM host;
CREATE FUNCTION host_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM host';
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER host_log AFTER INSERT ON host FOR EACH ROW EXECUTE FUNCTION nothing();
"""

_RELEASE = """\
release: 1.{number}.0
date: 2026-0{number}-01
changelog: [News.]
schema:
  version: {number}
{steps}server:
  binaries: [{{source: web, target: /usr/bin/demo}}]
"""


@dataclass(frozen=True, kw_only=True)
class S:
    """A step; `extra` are more lines of its entry in the spec."""

    sql: str
    phase: str = "expand"
    change: str = "thing"
    undo: str = ""
    extra: str = ""

    def entry(self, number: int) -> str:
        """The step in the spec of release 1.NUMBER.0."""
        lines = [f"- change: {self.change}", f"  sql: {self.file(number)}.sql"]
        lines += [f"  undo: {self.file(number)}.undo.sql"] if self.undo else []
        lines += ["  " + line for line in self.extra.splitlines()]
        return textwrap.indent("\n".join(lines), "    ") + "\n"

    def file(self, number: int) -> str:
        """The SQL file's name without its end."""
        return f"sql/{number}-{self.change}-{self.phase}"


def product(*releases: tuple[S, ...]) -> dict[str, str]:
    """The files of a product: 1.1.0 makes BASE, then there is a release for each tuple of steps."""
    files = {
        "product.yaml": PRODUCT.format(rollout="database-first", skew=1),
        "web": "#!/bin/sh\n",
        "sql/base.sql": BASE,
        "1.1.0.yaml": _RELEASE.format(
            number=1, steps="  expand: [{change: base, sql: sql/base.sql}]\n"
        ),
    }
    for number, steps in enumerate(releases, 2):
        text = ""
        for phase in ("expand", "migrate", "contract"):
            own = [step for step in steps if step.phase == phase]
            text += f"  {phase}:\n" if own else ""
            text += "".join(step.entry(number) for step in own)
        for step in steps:
            files[f"{step.file(number)}.sql"] = step.sql
            files |= {f"{step.file(number)}.undo.sql": step.undo} if step.undo else {}
        files[f"1.{number}.0.yaml"] = _RELEASE.format(number=number, steps=text)
    return files


def found(*releases: tuple[S, ...]) -> list[Problem]:
    """All problems and hints of such a product."""
    files = {name: text.encode() for name, text in product(*releases).items()}
    checked = check_product(Memory(files), {})
    return [*checked.problems, *checked.hints]


def told(*releases: tuple[S, ...]) -> list[str]:
    """Each problem as `LINE code`, in order."""
    return [f"{problem.origin.line} {problem.code.value}" for problem in found(*releases)]
