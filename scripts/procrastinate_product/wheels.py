"""Wheels by name and version from PyPI through pip, kept in a cache and pinned by a lock."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from procrastinate_product.errors import DownloadError, RequestError, WriteError
from procrastinate_product.releases import LIBRARIES, PYTHON, Number


@dataclass(frozen=True, slots=True, order=True)
class Wheel:
    """One file as the lock knows it."""

    file: str
    sha256: str

    @property
    def requirement(self) -> str:
        """The wheel as a line of a requirements file that pip checks by hash."""
        name, version = self.file.split("-")[:2]
        return f"{name}=={version} --hash=sha256:{self.sha256}"


Pip = Callable[[Sequence[str]], "Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run of pip came to."""

    code: int
    output: str


def run_pip(arguments: Sequence[str]) -> Answer:
    """Run this Python's pip; its configuration stays the user's own."""
    command = (sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Answer(code=done.returncode, output=done.stdout)


@dataclass(slots=True, kw_only=True)
class Wheels:
    """The wheels of releases; what the lock names and the cache holds needs no network."""

    cache: Path
    lock: Path
    pip: Pip = run_pip
    say: Callable[[str], None] = lambda _: None
    _locked: dict[str, tuple[Wheel, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._locked = read_lock(self.lock)

    def of(self, number: Number) -> tuple[Path, ...]:
        """Every wheel that a release needs, its own among them, sorted by name.

        Raises RequestError for a release that PyPI does not have, and DownloadError.
        """
        known = self._locked.get(str(number))
        if known is None:
            known = self._resolve(number)
            self._locked[str(number)] = known
            write_lock(self.lock, self._locked)
        missing = [wheel for wheel in known if not self._cached(wheel)]
        if missing:
            self._restore(number, missing)
        return tuple(self.cache / wheel.file for wheel in known)

    def _cached(self, wheel: Wheel) -> bool:
        path = self.cache / wheel.file
        return path.is_file() and digest(path) == wheel.sha256

    def _resolve(self, number: Number) -> tuple[Wheel, ...]:
        self.say(f"fetching procrastinate {number}")
        with tempfile.TemporaryDirectory() as scratch:
            constraints = Path(scratch, "constraints.txt")
            constraints.write_text("".join(f"{line}\n" for line in LIBRARIES))
            arguments = ("--constraint", str(constraints), f"procrastinate=={number}")
            return self._download(number, arguments)

    def _restore(self, number: Number, missing: Sequence[Wheel]) -> None:
        self.say(f"fetching {len(missing)} wheels of procrastinate {number} again")
        with tempfile.TemporaryDirectory() as scratch:
            requirements = Path(scratch, "requirements.txt")
            requirements.write_text("".join(f"{wheel.requirement}\n" for wheel in missing))
            self._download(number, ("--no-deps", "--require-hashes", "-r", str(requirements)))

    def _download(self, number: Number, arguments: Sequence[str]) -> tuple[Wheel, ...]:
        """Have pip fetch pure wheels, and move them into the cache whole."""
        self.cache.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.cache, "~")
        with tempfile.TemporaryDirectory(dir=self.cache, prefix="~") as scratch:
            answer = self.pip(
                (
                    "download", "--quiet", "--retries", "2", "--dest", scratch,
                    "--only-binary", ":all:", "--platform", "any", "--python-version", PYTHON,
                    *arguments,
                )
            )  # fmt: skip
            if answer.code != 0:
                raise _failure(number, answer.output)
            fetched = sorted(Path(scratch).iterdir())
            wheels = tuple(Wheel(path.name, digest(path)) for path in fetched)
            for path in fetched:
                path.rename(self.cache / path.name)
        return wheels


def _failure(number: Number, output: str) -> RequestError | DownloadError:
    """The one sentence behind pip's many; an index that answered lists the versions it has."""
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    text = " ".join(lines)
    if "No module named pip" in output:
        return DownloadError(f"{sys.executable} has no pip, with which procrastinate is fetched")
    if f"procrastinate=={number} " in text and "from versions: " in text:
        if "(from versions: none)" not in text:
            return RequestError(f"PyPI has no release {number} of procrastinate that can be used")
        return DownloadError(
            f"procrastinate {number} cannot be fetched: pip reaches no package index,"
            " and the cache does not hold it"
        )
    if "DO NOT MATCH THE HASHES" in output:
        return DownloadError(
            f"the files of procrastinate {number} are not those that the lock names"
        )
    reason = lines[-1].removeprefix("ERROR: ") if lines else "pip gave no reason"
    return DownloadError(f"pip could not fetch procrastinate {number}: {reason}")


def remove_leftovers(parent: Path, prefix: str) -> None:
    """Remove the scratch directories of a run that was killed."""
    for path in parent.iterdir():
        if path.name.startswith(prefix):
            shutil.rmtree(path)


def digest(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lock(path: Path) -> dict[str, tuple[Wheel, ...]]:
    """The wheels of each release that the lock names; none when there is no lock."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            version: tuple(Wheel(file, sha256) for file, sha256 in sorted(files.items()))
            for version, files in content.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise WriteError(f"{path} is not a lock of this script ({error}); delete it") from error


def write_lock(path: Path, locked: Mapping[str, tuple[Wheel, ...]]) -> None:
    """Write the lock, sorted and whole; raises WriteError."""
    content = {
        version: {wheel.file: wheel.sha256 for wheel in locked[version]}
        for version in sorted(locked, key=Number.parse)
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - an open descriptor
            file.write(json.dumps(content, indent=2) + "\n")
        Path(name).chmod(0o644)
        Path(name).rename(path)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror}") from error
