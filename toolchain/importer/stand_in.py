"""A program that stands where a release's own belongs, while only its migrations are known."""

from toolchain.edge.directory import NewFile
from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.layout import Entry, Layout
from toolchain.model.stand_in import MARK
from toolchain.spec.problem import Complaint
from toolchain.spec.values import targets


def stand_in(program: str) -> tuple[Layout, NewFile]:
    """A server of one program by that name, and the file; raises UsageError for an unfit name.

    It fails with EX_UNAVAILABLE (sysexits.h), so a package that is built with it serves nobody;
    by its mark check, verify and publish know it, however a user edits the rest.
    """
    target = f"/usr/bin/{program}"
    try:
        targets.program(target)
    except Complaint as complaint:
        raise UsageError(
            f"--server {program}: {complaint.message}", "give the name of the server's program"
        ) from None
    source = f"stand-in/{program}"
    note = Note(
        text=f"the programs, each with its service: {source} holds the place of {target}, and"
        " fails when it is started",
        decide=True,
    )
    layout = Layout(binaries=[Entry(source=source, target=target)], notes=[note])
    return layout, NewFile(path=source, text=_TEXT, mode=0o755)


# The name comes from the shell at run time, so none is ever quoted in here.
_TEXT = f"""\
#!/bin/sh
{MARK} put the release's program here; what is published has no file with this line.
echo "${{0##*/}}: this is a stand-in; the release was built without its program" >&2
exit 69
"""
