"""The SQL of Alembic's revisions, written by Alembic itself in its offline mode.

That runs the folder's env.py and revisions, so it happens only when the user names the program.
"""

import re
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.errors import ToolError, UsageError

_RUNNING = re.compile(r"^-- Running (?:upgrade|downgrade) (.*?) -> (.*?)$", re.MULTILINE)


def offline_sql(program: Path, folder: Path, processes: Processes) -> dict[str, tuple[str, str]]:
    """The SQL of upgrade and downgrade by revision; raises UsageError and ToolError.

    A history that can't be downgraded offline has no SQL for it.
    """
    home = next(
        (each for each in (folder, folder.parent) if (each / "alembic.ini").is_file()), None
    )
    if home is None:
        raise UsageError(
            f"{folder} has no alembic.ini, nor has the directory above",
            "name the folder that Alembic's script_location names",
        )
    up = _run(program, home, ("upgrade", "base:head", "--sql"), processes)
    try:
        down = _run(program, home, ("downgrade", "head:base", "--sql"), processes)
    except ToolError:
        down = ""
    ups, downs = _sections(up, 1), _sections(down, 0)
    return {name: (text, downs.get(name, "")) for name, text in ups.items()}


def _run(program: Path, home: Path, arguments: tuple[str, ...], processes: Processes) -> str:
    argv = (str(program.absolute()), "-c", "alembic.ini", *arguments)
    environment = {"PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"}
    return processes.run(Command(argv=argv, cwd=home, environment=environment))


def _sections(output: str, side: int) -> dict[str, str]:
    """What stands below each line that names a revision on that side of its arrow."""
    parts = _RUNNING.split(output)
    found: dict[str, str] = {}
    for before, after, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        # Alembic numbers revisions by their own name; several stand on the lower side of a merge.
        name = (before, after)[side].split(",")[0].strip()
        found[name] = text
    return found
