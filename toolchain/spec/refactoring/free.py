"""Whether every name that a refactoring makes is still free where its SQL makes it."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from toolchain.refactor.phases import Phases
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint

if TYPE_CHECKING:
    from toolchain.spec.schema.replay import Replay


def require_free_names(change: str, texts: Iterable[str], replay: "Replay") -> None:
    """Raise Complaint where a statement of a refactoring would meet a thing of the same name."""
    branch = replay.copy()
    for text in texts:
        for what in branch.apply_new(text):
            raise Complaint(
                Code.REFACTORING,
                f"{change} makes {what}, and there is one of that name already",
                "give the change or what it makes another name, or rename what is there in an"
                " earlier change",
            )


def texts_of(phases: Phases) -> Iterator[str]:
    """The SQL that makes things: all phases one after the other, the batches left out."""
    yield phases.expand.sql
    if phases.migrate is not None:
        yield phases.migrate.begin
        yield phases.migrate.finish
    yield phases.contract or ""
