"""What an import has made, for people and for programs."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from toolchain.importer.drafts import StepDraft
from toolchain.importer.facts import Note
from toolchain.importer.run import Imported
from toolchain.spec.problem import Problem
from toolchain.spec.report.text import text_report
from toolchain.spec.wording import printable

# What the terminal lists of one kind; the specs hold every note, and --json every line.
_MOST_NOTES = 40


def as_text(imported: Imported) -> str:
    """The releases with their steps, what to decide, and the to-do list that check makes."""
    return "".join(f"{line}\n" for line in _lines(imported))


def _lines(imported: Imported) -> Iterator[str]:
    for release in imported.releases:
        yield f"{release.version}  {release.day}  schema {release.schema}"
        yield from (f"  {_step(step)}" for step in release.steps)
        yield from (f"  waits for the next release: {_step(step)}" for step in release.waiting)
    for title, decide in (("taken", False), ("to decide", True)):
        notes = list(_grouped(note for note in imported.notes if note.decide is decide))
        if notes:
            yield ""
            yield f"{title}:"
            yield from (f"  {note}" for note in notes[:_MOST_NOTES])
        if len(notes) > _MOST_NOTES:
            yield f"  and {len(notes) - _MOST_NOTES} more, which --json lists"
    if imported.checked.problems:
        yield ""
        yield "to do, as check says:"
        yield text_report(imported.checked.problems).rstrip("\n")


def _grouped(notes: Iterable[Note]) -> Iterator[str]:
    """A line for each text: the packages of many releases have the same things to tell."""
    places: dict[str, list[str]] = {}
    for note in notes:
        places.setdefault(note.text, []).append(note.where)
    for text, where in places.items():
        more = f" (and in {len(where) - 1} more places)" if len(where) > 1 else ""
        # The newest release is read last, and is the one to look at first.
        yield printable(str(Note(text=text, where=where[-1]))) + more


def _step(step: StepDraft) -> str:
    what = step.operation.partition(":")[0] or step.file or "as declared"
    return f"{step.phase.value:8} {step.change}  ({what})"


def as_data(imported: Imported, directory: Path, *, written: bool) -> dict[str, Any]:
    """The same as JSON has it."""
    return {
        "product": imported.product,
        "directory": str(directory),
        "written": written,
        "files": list(imported.files),
        "releases": [
            {
                "release": str(release.version),
                "date": str(release.day),
                "schema": release.schema,
                "steps": list(map(_step_data, release.steps)),
                "waiting": list(map(_step_data, release.waiting)),
            }
            for release in imported.releases
        ],
        "notes": list(map(_note_data, imported.notes)),
        "problems": list(map(_problem_data, imported.checked.problems)),
    }


def _step_data(step: StepDraft) -> dict[str, Any]:
    return {
        "change": step.change,
        "phase": step.phase.value,
        "sql": step.file or None,
        "operation": step.operation or None,
        "undo": step.undo or None,
        "transaction": step.transaction,
        "reasons": list(step.comments),
    }


def _note_data(note: Note) -> dict[str, Any]:
    return {"text": note.text, "where": note.where, "decide": note.decide}


def _problem_data(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code.value,
        "file": problem.origin.file,
        "line": problem.origin.line,
        "column": problem.origin.column,
        "message": problem.message,
        "cure": problem.cure,
    }
