"""No path of a package comes from two entries."""

from collections.abc import Sequence

from toolchain.errors import SpecError
from toolchain.plan.entry import Directory, Entry, File, Payload


def require_once(entries: Sequence[Entry]) -> None:
    """Raise SpecError where two entries install one path; a directory may come from several."""
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.path, entry)
        if other is not entry and not (
            isinstance(entry, Directory) and isinstance(other, Directory)
        ):
            raise SpecError(
                f"{entry.path} would come from {_origin(other)} and from {_origin(entry)}",
                "give the payload's file another target",
            )


def _origin(entry: Entry) -> str:
    match entry:
        case File(content=Payload(path=path)):
            return f"the payload's {path}"
        case File():
            return "Interlock itself"
        case _:
            return "a directory of the payload"
