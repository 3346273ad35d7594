"""The output directory: one build at a time writes there, and what it made comes all at once."""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.build.manifest import MANIFEST, Built, manifest_bytes
from toolchain.edge.scratch import remove_leftovers
from toolchain.edge.undisturbed import undisturbed
from toolchain.errors import OutputError, SpecError


@contextmanager
def alone_in(output: Path, product: Path) -> Iterator[None]:
    """Keep other builds out, and begin by removing what a killed one left.

    An OSError of the build is told as the product's (SpecError) or the directory's (OutputError).
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with (output / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise OutputError(
                    f"another build is writing to {output}", "wait for it or choose --output"
                ) from error
            remove_leftovers(output)
            yield
    except OSError as error:
        sentence = f"{error.filename or output}: {error.strerror}"
        if Path(str(error.filename)).is_relative_to(product):
            raise SpecError(sentence, "make it readable") from error
        raise OutputError(sentence, "make room or choose --output") from error


def move_into_place(done: Path, output: Path, packages: Iterable[Built]) -> None:
    """Packages first, the manifest that names them last; no signal comes in between."""
    ready = {path.name for path in done.iterdir()}
    present = [row for row in packages if row.file in ready or (output / row.file).is_file()]
    staged = done / MANIFEST
    staged.write_bytes(manifest_bytes(present))
    with undisturbed():
        for name in sorted(ready):
            (done / name).replace(output / name)
        staged.replace(output / MANIFEST)


def remove(packages: Iterable[Built], output: Path) -> None:
    """Take packages away, with what stands beside each."""
    for row in packages:
        for name in (row.file, *(companion for companion, _ in row.companions)):
            (output / name).unlink(missing_ok=True)
