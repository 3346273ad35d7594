"""The locks of a refactoring's steps, as a table of its reference page."""

from collections.abc import Iterator, Sequence

from toolchain.model.change import Step
from toolchain.spec.lint.blocks import statements_of
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.locks import locks_of
from toolchain.spec.lint.mode import Lock, Mode, Work
from toolchain.spec.lint.names import Relation
from toolchain.spec.lint.scope import new_relations
from toolchain.spec.sql.files import SqlFile
from toolchain.spec.sql.parser import Statement, parse

_DURING = {
    Work.BRIEF: "a change of the catalogue",
    Work.SCAN: "a look at every row",
    Work.BUILD: "the build of an index",
    Work.REWRITE: "a new copy of every row",
}


def lock_table(steps: Sequence[Step], before: str) -> Iterator[str]:
    """Each phase's strongest lock on each relation that was there when its step began.

    `before` is the SQL that has made the tables.
    """
    catalogue = Catalogue()
    for statement in _statements(before):
        catalogue.apply(statement)
    rows = []
    for step in steps:
        made: set[Relation] = set()
        strongest: dict[Relation, Lock] = {}
        for statement in _statements(step.sql.text or ""):
            for lock in locks_of(statement, catalogue):
                held = strongest.get(lock.relation)
                if lock.relation not in made and (held is None or held.mode < lock.mode):
                    strongest[lock.relation] = lock
            made |= new_relations(statement, made)
            catalogue.apply(statement)
        for relation, lock in sorted(strongest.items()):
            if relation.schema == "public":
                of_rows = lock.mode <= Mode.ROW_EXCLUSIVE
                during = "statements that read or write rows" if of_rows else _DURING[lock.work]
                rows.append(
                    f"| {step.phase.value} | {relation.name} | {lock.mode.words} |"
                    f" {lock.mode.victims} | {during} |"
                )
    if rows:
        yield "| phase | relation | strongest lock | keeps waiting | taken for |"
        yield from ("| --- | --- | --- | --- | --- |", *rows, "")


def _statements(text: str) -> Iterator[Statement]:
    statements = parse("", text)
    assert isinstance(statements, list)
    yield from statements_of(SqlFile(shown="", text=text, sha256="", statements=tuple(statements)))
