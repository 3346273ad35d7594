"""The product's directory: laid out beside its place, then moved into it."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from procrastinate_product.chain import Link, Upstream, build
from procrastinate_product.errors import SourceError, WriteError
from procrastinate_product.payload import (
    Library,
    copyright_line,
    library_files,
    licence_files,
)
from procrastinate_product.releases import Wanted
from procrastinate_product.specs import MARK, product_yaml, release_yaml
from procrastinate_product.statements import QUERIES, statements_sql
from procrastinate_product.wheels import remove_leftovers

_FILES = Path(__file__).with_name("files")
_MIGRATIONS = "procrastinate/sql/migrations/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """One release to package, with its libraries; `own` is procrastinate's among them."""

    wanted: Wanted
    libraries: tuple[Library, ...]

    @property
    def own(self) -> Library:
        """The library that is procrastinate itself."""
        for library in self.libraries:
            if library.name == "procrastinate":
                return library
        raise SourceError(f"the wheels of {self.wanted.number} hold no procrastinate")


def upstream_of(packaged: Packaged) -> Upstream:
    """The schema and the migrations from 2.0 on that a release's wheel carries."""
    files = packaged.own.files
    if "procrastinate/sql/schema.sql" not in files:
        raise SourceError(f"the wheel of procrastinate {packaged.wanted.number} has no schema.sql")
    migrations = {
        name.removeprefix(_MIGRATIONS): content
        for name, content in files.items()
        if name.startswith(_MIGRATIONS) and name.endswith(".sql")
    }
    return Upstream(
        number=packaged.wanted.number,
        # Those of 0.x and 1.x are part of the first release's schema.sql.
        migrations={name: text for name, text in migrations.items() if name >= "02"},
        schema=files["procrastinate/sql/schema.sql"],
    )


def lay_out(releases: Sequence[Packaged], directory: Path) -> tuple[Link, ...]:
    """Write the whole product into an empty directory; raises SourceError and OSError."""
    links = build([upstream_of(packaged) for packaged in releases])
    newest = releases[-1].own.licences
    licence = next((text for name, text in newest.items() if name.startswith("LICENSE")), b"")
    _write(directory / "product.yaml", product_yaml(copyright_line(licence.decode("utf-8"))))
    for link, packaged in zip(links, releases, strict=True):
        for step in link.steps:
            _write(directory / "sql" / step.file, step.sql)
        payload = directory / "payload" / str(link.number)
        for name, content, mode in payload_of(packaged):
            _write(payload / name, content, mode)
        documents = [f"licences/{name}" for name, _ in licence_files(packaged.libraries)]
        queries = packaged.own.files.get(QUERIES)
        if queries is not None:
            text = statements_sql(link.number, queries.decode("utf-8"))
            _write(payload / "statements.sql", text)
        spec = release_yaml(
            link, packaged.wanted.date, documents, with_statements=queries is not None
        )
        _write(directory / f"{link.number}.yaml", spec)
    day = datetime.combine(releases[-1].wanted.date, time(), UTC).timestamp()
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else path.stat().st_mode)
        os.utime(path, (day, day))
    return links


def payload_of(packaged: Packaged) -> Iterator[tuple[str, bytes, int]]:
    """Path, content and mode of everything that a release's server package is made from."""
    for name, content in library_files(packaged.libraries):
        yield f"lib/{name}", content, 0o644
    for name, content in licence_files(packaged.libraries):
        yield f"licences/{name}", content, 0o644
    for path in sorted(_FILES.glob("*.py")):
        yield f"lib/{path.name}", path.read_bytes(), 0o644
    for name in ("procrastinate-worker", "procrastinate"):
        yield name, (_FILES / name).read_bytes(), 0o755
    yield "worker.ini", (_FILES / "worker.ini").read_bytes(), 0o644
    for name in ("procrastinate-worker.1", "procrastinate.1"):
        page = (_FILES / name).read_text(encoding="utf-8")
        page = page.replace("@VERSION@", str(packaged.wanted.number))
        page = page.replace("@DATE@", packaged.wanted.date.isoformat())
        yield name, page.encode(), 0o644


def _write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def check_replaceable(directory: Path) -> None:
    """Refuse to replace anything but an earlier product of this script; raises WriteError."""
    try:
        if not directory.exists() or not any(directory.iterdir()):
            return
        with (directory / "product.yaml").open(encoding="utf-8") as file:
            if file.readline() == MARK:
                return
    except (OSError, UnicodeDecodeError):
        pass
    raise WriteError(f"{directory} exists and was not made by this script; name another directory")


def write(releases: Sequence[Packaged], directory: Path) -> tuple[tuple[Link, ...], bool]:
    """Put the product in its place; tells its chain, and whether anything has changed.

    A product that is already there to the byte is left alone, so that whoever reads it while it is
    fetched once more is not disturbed. Only one run at a time may write to a directory. Raises
    SourceError and WriteError.
    """
    check_replaceable(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{directory.name}~"
        remove_leftovers(directory.parent, prefix)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=prefix) as scratch:
            new = Path(scratch, "new")
            new.mkdir()
            links = lay_out(releases, new)
            if directory.exists() and fingerprint(directory) == fingerprint(new):
                return links, False
            if directory.exists():
                directory.rename(Path(scratch, "old"))
            new.rename(directory)
    except (OSError, shutil.Error) as error:
        raise WriteError(f"cannot write {directory}: {error}") from error
    return links, True


def fingerprint(directory: Path) -> str:
    """One digest over names, modes and contents of all files below a directory."""
    whole = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        head = f"{path.relative_to(directory)}\0{path.stat().st_mode:o}\0{len(content)}\0"
        whole.update(head.encode() + content)
    return whole.hexdigest()
