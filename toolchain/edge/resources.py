"""Where Interlock's own templates and the runner lie, in a checkout and in an installed wheel."""

import hashlib
from functools import cache
from pathlib import Path

from toolchain.errors import SpecError, ToolError

_PACKAGE = Path(__file__).resolve().parent.parent
# Templates of new products, of exported rollouts and of reports, which no package holds.
_NOT_PACKAGED = frozenset({"init", "ansible", "tasks", "vars", "puppet", "chef", "report"})


@cache
def packaging_directory() -> Path:
    """The directory of the templates; raises ToolError when the installation lacks it."""
    for candidate in (_PACKAGE / "_packaging", _PACKAGE.parent / "packaging"):
        if (candidate / "deb").is_dir():
            return candidate
    raise ToolError("Interlock's templates are missing", "install interlock-release again")


def template_reader(product: Path) -> "TemplateFiles":
    """Templates of a product's `packaging/` directory first, then Interlock's own.

    Raises SpecError on a link in the product's directory and on a name that replaces nothing.
    """
    own, overlay = packaging_directory(), product / "packaging"
    for path in (overlay, *sorted(overlay.rglob("*"))) if overlay.exists() else ():
        if path.is_symlink():
            raise SpecError(f"{path} is a symbolic link", "put what it leads to in its place")
        if path.is_file() and not (own / path.relative_to(overlay)).is_file():
            raise SpecError(
                f"{path} replaces no template of Interlock",
                f"give it the name of one below {own}",
            )
    return TemplateFiles((overlay, own))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8", "write it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}", "make it readable") from error


class TemplateFiles:
    """Reads templates by name from the first directory that has them."""

    def __init__(self, directories: tuple[Path, ...]) -> None:
        self._directories = directories

    def __call__(self, name: str) -> str | None:
        """The template's text, or None where there is none."""
        for directory in self._directories:
            path = directory / name
            if path.is_file():
                return _text(path)
        return None

    def overlay(self) -> tuple[str, ...]:
        """The product's own templates, by name below its `packaging/`, sorted."""
        overlay = self._directories[0]
        found = overlay.rglob("*") if len(self._directories) > 1 else ()
        return tuple(sorted(str(path.relative_to(overlay)) for path in found if path.is_file()))

    def digest_of_all(self) -> tuple[tuple[str, str], ...]:
        """Name and text of every template of packages, for the hash of a build's inputs."""
        found: dict[str, str] = {}
        for directory in reversed(self._directories):
            for path in sorted(directory.rglob("*")):
                if (
                    path.parent.name in _NOT_PACKAGED
                    or path.suffix == ".toml"
                    or not path.is_file()
                ):
                    continue
                found[str(path.relative_to(directory))] = _text(path)
        return tuple(sorted(found.items()))


@cache
def own_sources() -> tuple[tuple[str, bytes], ...]:
    """The code that decides what a package's bytes are, for the hash of a build's inputs."""
    rooms = ("plan", "render", "edge", "build")
    return tuple(
        (f"{room}/{path.name}", path.read_bytes())
        for room in rooms
        for path in sorted((_PACKAGE / room).glob("*.py"))
    )


@cache
def own_version() -> str:
    """The version of the installed Interlock."""
    from importlib.metadata import version  # noqa: PLC0415  (costs 10 ms that only builds spend)

    return version("interlock-release")


@cache
def own_digest() -> str:
    """A digest in hex of all of Interlock that decides what a package's bytes are.

    in-toto's `dirHash`: SHA-256 over lines of SHA-256 and name, sorted by name (Go's Hash1).
    """
    files = [(f"toolchain/{name}", content) for name, content in own_sources()]
    files += [(f"toolchain/runner/{name}", content) for name, content in runner_files()]
    templates = TemplateFiles((packaging_directory(),)).digest_of_all()
    files += [(f"packaging/{name}", text.encode()) for name, text in templates]
    lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@cache
def runner_files() -> tuple[tuple[str, bytes], ...]:
    """The runner's Python and SQL files, by path relative to its package."""
    root = _PACKAGE / "runner"
    return tuple(
        (str(path.relative_to(root)), path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.suffix in {".py", ".sql"}
    )
