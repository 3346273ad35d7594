"""What lies beside a package file and speaks of it, as bytes, or why it can't be read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolchain.edge.digests import sha256_of
from toolchain.edge.directory import Directory
from toolchain.edge.small_file import read_small
from toolchain.plan.attestation import ENVELOPE, SBOM, STATEMENT

# A line for each of 200,000 files, and a third more in an envelope.
_LONGEST = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The documents of one package; None where there is none.

    `unreadable` tells of those that can't or won't be read, by file name.
    """

    sbom: bytes | None
    statement: bytes | None
    envelope: bytes | None
    unreadable: tuple[tuple[str, str], ...] = ()


def read_beside(package: Path) -> Beside:
    """Read them all; raises nothing: what is wrong is told."""
    found: dict[str, bytes | None] = {}
    unreadable = []
    for ending in (SBOM, STATEMENT, ENVELOPE):
        path = package.with_name(package.name + ending)
        found[ending] = None
        try:
            found[ending] = read_small(path, _LONGEST)
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable.append((path.name, f"can't be read: {error.strerror}"))
        except ValueError as error:
            unreadable.append((path.name, str(error)))
    return Beside(
        sbom=found[SBOM],
        statement=found[STATEMENT],
        envelope=found[ENVELOPE],
        unreadable=tuple(unreadable),
    )


def digests_below(root: Path) -> Callable[[str], str | None]:
    """SHA-256 in hex by path; None where no file stands there or a link leads out of `root`."""
    tree = Directory(root)

    @cache
    def digest(path: str) -> str | None:
        if tree.look(path).kind != "file":
            return None
        try:
            return sha256_of(root / path)
        except OSError:
            return None

    return digest
