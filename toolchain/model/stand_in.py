"""A program that only holds the place of a release's own: the line by which its file says so."""

# A line of its own, so that whoever makes a program of the file reads it, and takes it out.
MARK = "# interlock-stand-in:"

# How many bytes of a program's beginning hold the mark, if there is one.
BEGINNING = 1024


def is_stand_in(beginning: bytes) -> bool:
    """Whether a script says so in one of its first lines; what only quotes the mark does not."""
    return beginning.startswith(b"#!") and any(
        line.startswith(MARK.encode()) for line in beginning[:BEGINNING].splitlines()
    )
