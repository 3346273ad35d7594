"""Packages that no channel offers: their files go when no index that names them is believed."""

from collections.abc import Iterable

from toolchain.publish.record import Record
from toolchain.publish.state import State
from toolchain.publish.tables.generations import Generation

# The setting that holds until when any index that was ever signed may be believed.
_BELIEVED = "believed"


def believe(state: State, generations: Iterable[Generation]) -> None:
    """Remember until when new indexes may be believed."""
    until = max((_believed(state), *(one.valid_until for one in generations)))
    state.settings.set(_BELIEVED, str(until))


def retire(state: State, now: int) -> tuple[Record, ...]:
    """Have the files of packages that no channel offers removed, and say which those are.

    An index that names them may be believed for a while, whatever is published now. Their names
    and versions stay taken.
    """
    due, gone = _believed(state), []
    for record in state.packages.everything():
        if record.gone is None and not state.channels.offering(record):
            state.packages.mark_gone(record, now)
            for path in (record.file.path, *state.packages.beside(record)):
                state.tasks.retire(path, due)
            gone.append(record)
    return tuple(gone)


def _believed(state: State) -> int:
    return int(state.settings.get(_BELIEVED) or 0)
