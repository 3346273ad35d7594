"""A directory that is exported again and again, in which an operator keeps files of his own.

Each file is renamed into place whole, in the order given, so that the one which starts everything
comes last. What an earlier export wrote and this one does not is removed at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.small_file import read_small
from toolchain.edge.whole_file import write_whole
from toolchain.errors import OutputError

_LIST = ".interlock-export"
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file by its path below the directory; a kept one is the operator's from then on."""

    path: str
    text: str
    kept: bool = False


def write_exported(directory: Path, files: Sequence[Exported]) -> None:
    """Write all files; raises OutputError, and then nothing of an operator's is touched.

    A directory with other things in it is refused unless an export has been there before.
    """
    listed = directory / _LIST
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not listed.exists() and any(directory.iterdir()):
            raise OutputError(
                f"{directory} holds files that no export has written",
                "name a directory that does not exist yet, or that of an earlier export",
            )
        before = read_small(listed, _LONGEST).decode().split("\n") if listed.exists() else []
        ours = [file.path for file in files if not file.kept]
        write_whole(listed, "\n".join(sorted({*before, *ours} - {""})).encode())
        for file in files:
            path = directory / file.path
            if not (file.kept and path.exists()):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, file.text.encode())
        for name in sorted(set(before) - set(ours) - {""}):
            if ".." not in Path(name).parts and not Path(name).is_absolute():
                (directory / name).unlink(missing_ok=True)
        write_whole(listed, "".join(f"{name}\n" for name in sorted(ours)).encode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(
            f"{directory} cannot be written: {reason}", "name a directory that you may write to"
        ) from error
