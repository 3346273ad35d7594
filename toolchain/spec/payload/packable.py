"""What keeps something on disk from being packed: its kind, its name, its mode, where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolchain.spec.codes import Code
from toolchain.spec.located.text import control_in
from toolchain.spec.payload.links import outcome
from toolchain.spec.problem import Complaint
from toolchain.spec.tree import KIND_WORDS, Entry
from toolchain.spec.wording import show, show_path

_SPECIAL_BITS = 0o6000  # setuid and setgid


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may stand at a source; of a program it is told where it is a stand-in."""

    directory: bool = False
    program: bool = False
    setuid_declared: bool = False


def not_one_file(shown: str, entry: Entry, wanted: Wanted) -> Complaint | None:
    """What keeps a path from being the one file that is wanted."""
    what = show_path(shown)
    match entry.kind:
        case "file" if entry.mode & _SPECIAL_BITS and not wanted.setuid_declared:
            return _setuid(what, entry)
        case "file":
            return None
        case "directory":
            return Complaint(
                Code.SOURCE_KIND,
                f"{what} is a directory, and one file belongs here",
                "name a file; directories belong under 'files'",
            )
        case "missing" | "dangling":
            return Complaint(
                Code.SOURCE_MISSING,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "build the payload first, or mend the path",
            )
        case "escaping":
            return Complaint(
                Code.SOURCE_ESCAPE,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "copy the file into the product's directory",
            )
        case "unreadable":
            return unreadable(shown)
        case "special" | "link":
            return Complaint(
                Code.SOURCE_SPECIAL,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "name a regular file; packages hold no devices, sockets or pipes",
            )


def unreadable(shown: str) -> Complaint:
    """A file that is there and of which nothing more can be known."""
    return Complaint(
        Code.UNREADABLE, f"{show_path(shown)} cannot be read", "mend the file's permissions"
    )


def _setuid(what: str, entry: Entry) -> Complaint:
    return Complaint(
        Code.SETUID,
        f"{what} has the mode {entry.mode:04o}, and the spec does not say so",
        f'take the bit away, or list the file itself with mode: "{entry.mode:04o}"',
    )


def not_packable(shown: str, name: str, entries: Mapping[str, Entry]) -> Complaint | None:
    """What keeps something below a source directory from being packed as it is."""
    what, entry = show_path(shown), entries[name]
    if control_in(name) is not None or "\n" in name or "\t" in name:
        return Complaint(
            Code.SOURCE_NAME,
            f"the name {what} holds a control character or is not UTF-8",
            "rename the file: package formats keep paths in lists of lines",
        )
    if entry.kind == "special":
        return Complaint(
            Code.SOURCE_SPECIAL,
            f"{what} is {KIND_WORDS['special']}",
            "take it out; the program can make it when it starts",
        )
    if entry.kind == "unreadable":
        return unreadable(shown)
    if entry.kind == "file" and entry.mode & _SPECIAL_BITS:
        return _setuid(what, entry)
    if entry.kind != "link":
        return None
    match outcome(name, entries):
        case "inside":
            return None
        case "outside":
            return Complaint(
                Code.SOURCE_ESCAPE,
                f"the link {what} leads to {show(entry.leads_to)}, out of its source",
                "make it relative and within the source, or replace it by the file",
            )
        case "nowhere":
            return Complaint(
                Code.SOURCE_MISSING,
                f"the link {what} leads to {show(entry.leads_to)}, which does not exist",
                "add what it leads to, or delete the link",
            )
