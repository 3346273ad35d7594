"""Files of captured statements: read before they are added to, written whole."""

from collections.abc import Mapping
from pathlib import Path

from toolchain.edge.whole_file import write_whole
from toolchain.errors import OutputError


def read_existing(path: Path) -> str:
    """What a file holds, nothing where there is none; raises OutputError where it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{path} is there already and cannot be read", "mend it, or name another directory"
        ) from error


def write_files(texts: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write the files whose text is new, each whole or not at all; raises OutputError."""
    written = []
    for path, text in sorted(texts.items()):
        try:
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except (OSError, UnicodeDecodeError) as error:
            raise OutputError(
                f"{path} cannot be written: {error}", "name another directory"
            ) from error
        written.append(path)
    return tuple(written)
