"""Files of another's making, as text: small, regular, UTF-8, or a sentence that says why not."""

from pathlib import Path

from toolchain.edge.small_file import read_small
from toolchain.errors import UsageError
from toolchain.spec.located.text import SQL_LIMIT, decode
from toolchain.spec.problem import Problem
from toolchain.spec.wording import show_path


def read_text(path: Path, longest: int = SQL_LIMIT) -> str:
    """The text of a file of at most `longest` bytes; raises UsageError."""
    shown = show_path(str(path))
    try:
        data = read_small(path, longest)
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror}", "make it readable") from error
    except ValueError as error:
        raise UsageError(f"{shown} {error}", "take it out, or import it by hand") from error
    # A byte order mark is what some editors of Windows write; it is no part of the text.
    text = decode(str(path), data.removeprefix(b"\xef\xbb\xbf"))
    if isinstance(text, Problem):
        raise UsageError(f"{text.origin}: {text.message}", text.cure)
    return text


def inside(root: Path, path: Path) -> bool:
    """Whether a path, links followed, lies below a directory."""
    return path.resolve().is_relative_to(root.resolve())


def refuse(where: str, line: int, what: str, cure: str) -> UsageError:
    """The error about a line of a file."""
    return UsageError(f"{where}:{line}: {what}", cure)
