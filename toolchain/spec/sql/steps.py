"""Whether the SQL of a step fits the phase that it is written for."""

from collections.abc import Iterator

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import PlacedStep
from toolchain.spec.located.node import Path, as_table, node_at
from toolchain.spec.located.text import origin_at
from toolchain.spec.problem import Complaint, Place, Problem, Related
from toolchain.spec.sql.files import SqlFile, SqlFiles
from toolchain.spec.sql.parser import Statement, parameters, refused_in_transaction

_BATCH_PARAMETERS = frozenset({1, 2})


def check_steps(document: Document, steps: tuple[PlacedStep, ...], files: SqlFiles) -> None:
    """Note what is wrong with the files of a release's steps, in the spec or in the files."""
    for placed in steps:
        step = placed.step
        if step.sql.text is not None:
            _check_generated(document, placed)
            continue
        if step.batch is not None and not step.transaction:
            document.complain(
                Complaint(
                    Code.SQL_ONE_STATEMENT,
                    "a batch runs in the transaction that also saves its cursor",
                    "take 'transaction: false' out",
                ),
                (*placed.path, "transaction"),
            )
            continue
        _check_file(document, placed, "sql", step.sql.name, files)
        if step.undo is not None:
            _check_file(document, placed, "undo", step.undo.name, files)


def _check_generated(document: Document, placed: PlacedStep) -> None:
    """What belongs to SQL of one's own means nothing where the SQL is generated."""
    entry = as_table(node_at(document.top, placed.path))
    for key in ("undo", "transaction", "batch"):
        if entry.has(key):
            document.complain(
                Complaint(
                    Code.UNKNOWN_KEY,
                    f"the step {placed.step.id} has no SQL of its own that {key!r} could be about",
                    "delete it: the refactoring brings all that its phases need",
                ),
                (*placed.path, key),
                at_key=True,
            )


def _check_file(
    document: Document, placed: PlacedStep, key: str, name: str, files: SqlFiles
) -> None:
    path: Path = (*placed.path, key)
    try:
        file = files.read(name)
    except Complaint as complaint:
        document.complain(complaint, path)
        return
    if file is None:
        return
    if not file.statements:
        place = Place(Origin(file=file.shown))
        empty = Complaint(
            Code.SQL_EMPTY, "the file has no statement", "write one, or take the step out"
        )
        files.problems.append(empty.at(place, _related(placed)))
        return
    files.problems.extend(_problems(placed, file, batched=_is_batched(placed, key)))
    if _is_batched(placed, key) and not set().union(*map(parameters, file.statements)):
        document.complain(
            Complaint(
                Code.SQL_PARAMETER,
                "the SQL of a batch names neither $1 nor $2, so each batch would do all the work",
                "bound it, for example 'WHERE id BETWEEN $1 AND $2'",
            ),
            path,
        )


def _is_batched(placed: PlacedStep, key: str) -> bool:
    return placed.step.batch is not None and key == "sql"


def _related(placed: PlacedStep) -> Related:
    return Related(origin=placed.place.origin, message=f"the step {placed.step.id} runs this file")


def _problems(placed: PlacedStep, file: SqlFile, *, batched: bool) -> Iterator[Problem]:
    transaction = placed.step.transaction
    for number, statement in enumerate(file.statements):
        complaint = _complaint(statement, transaction=transaction, batched=batched)
        if complaint is None and number == 1 and not transaction:
            complaint = Complaint(
                Code.SQL_ONE_STATEMENT,
                f"the file of a step without a transaction holds {len(file.statements)} statements",
                "keep one, and give each other a step of its own",
            )
        if complaint is not None:
            origin = origin_at(file.shown, file.text, statement.index)
            yield complaint.at(Place(origin), _related(placed))


def _complaint(statement: Statement, *, transaction: bool, batched: bool) -> Complaint | None:
    if statement.kind == "TransactionStmt":
        return Complaint(
            Code.SQL_TRANSACTION,
            "the file begins or ends a transaction of its own",
            "take the statement out: the runner gives each step its transaction",
        )
    if statement.kind == "CopyStmt" and "filename" not in statement.tree:
        return Complaint(
            Code.SQL_CLIENT,
            "COPY without a file moves data through a client, and there is none",
            "write INSERT statements",
        )
    refused = refused_in_transaction(statement)
    if refused is not None and transaction:
        return Complaint(
            Code.SQL_NOT_TRANSACTIONAL,
            f"PostgreSQL refuses {refused} inside a transaction",
            "give it a step of its own with 'transaction: false'",
        )
    unknown = sorted(parameters(statement) - (_BATCH_PARAMETERS if batched else frozenset()))
    if unknown:
        return Complaint(
            Code.SQL_PARAMETER,
            f"the step does not get the parameter ${unknown[0]}",
            "write the value: only the SQL of a batch gets parameters, $1 and $2",
        )
    return None
