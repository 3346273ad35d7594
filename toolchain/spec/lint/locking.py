"""Locks that a service would notice: long ones, ones that add up, and ones in a risky order."""

from collections.abc import Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.altering import validated
from toolchain.spec.lint.locks import locks_of
from toolchain.spec.lint.mode import Lock, Mode, sentence
from toolchain.spec.lint.names import relation_of
from toolchain.spec.lint.scope import Scope
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement


def lock_complaints(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """What is wrong with the locks of a statement; notes the locks that it leaves held."""
    locks = [
        lock for lock in locks_of(statement, scope.catalogue) if lock.relation not in scope.empty
    ]
    for (code, _), alike in _told(locks).items():
        yield Complaint(code, sentence(alike), alike[0].cure)
    if statement.kind != "LockStmt":
        yield from _order(locks, scope)
    for lock in locks:
        known = scope.held.get(lock.relation, Mode.ACCESS_SHARE)
        scope.held[lock.relation] = max(known, lock.mode)
    if statement.kind == "AlterTableStmt":
        yield from _validated(statement, scope)


def _told(locks: list[Lock]) -> dict[tuple[Code, str], list[Lock]]:
    """The locks to tell of, those of one kind and one statement together."""
    told: dict[tuple[Code, str], list[Lock]] = {}
    for lock in locks:
        if lock.code is not None:
            told.setdefault((lock.code, f"{lock.deed} {lock.lasting}"), []).append(lock)
    return told


def _validated(statement: Statement, scope: Scope) -> Iterator[Complaint]:
    """VALIDATE is quiet by itself; under a lock that the transaction has already, it is not."""
    relation = relation_of(statement.tree.get("relation", {}))
    held = scope.held.get(relation, Mode.ACCESS_SHARE)
    for name in validated(statement.tree):
        if held >= Mode.SHARE_ROW_EXCLUSIVE and relation not in scope.empty:
            yield Complaint(
                Code.LINT_VALIDATE_TOGETHER,
                f"VALIDATE CONSTRAINT {name} reads all of {relation} while the step holds"
                f" {held.article} {held.words} lock on it, which blocks {held.victims}",
                "give VALIDATE CONSTRAINT a step of its own, after this one",
            )


def _order(locks: list[Lock], scope: Scope) -> Iterator[Complaint]:
    """A step that waits for a second table while it keeps everybody from the first."""
    kept = [each for each, mode in scope.held.items() if mode is Mode.ACCESS_EXCLUSIVE]
    for lock in locks:
        if lock.mode is not Mode.ACCESS_EXCLUSIVE or lock.relation in kept:
            continue
        if kept and scope.ordered:
            scope.ordered = False
            yield Complaint(
                Code.LINT_LOCK_ORDER,
                f"the step waits for an ACCESS EXCLUSIVE lock on {lock.relation} while it holds"
                f" one on {kept[0]}, and a server that uses the two the other way round deadlocks",
                "give each table a step of its own",
            )
        kept.append(lock.relation)
