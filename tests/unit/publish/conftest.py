"""A small product's packages, a repository to publish them in, and someone who signs."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from tests.samples import write_product
from tests.signing import Keys
from tests.verify_samples import build, quiet, read
from toolchain.edge.gpg import Signer, open_signer
from toolchain.edge.process import Processes
from toolchain.model.carried import PackageFile
from toolchain.plan.client import PublicKey
from toolchain.publish.deeds.add import Add
from toolchain.publish.deeds.desk import Deed, Outcome
from toolchain.publish.run import Publisher
from toolchain.publish.signing import Signs

RELEASES = 4
URL = "https://packages.example.com/demo"
START = 1_900_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Signs at once and proves nothing: for tests that are about something else."""

    keys: tuple[PublicKey, ...]
    expires: datetime | None = None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(key.fingerprint for key in self.keys)

    def clear(self, text: bytes) -> bytes:
        return b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + text

    def detached(self, data: bytes) -> bytes:
        return hashlib.sha256(data).hexdigest().encode() + b"\n"

    def sign_rpms(self, paths: Sequence[Path]) -> None:
        pass

    def described_keys(self) -> tuple[PublicKey, ...]:
        return self.keys


@pytest.fixture(scope="session")
def key(signing: Keys) -> str:
    return signing.make("publisher", algorithm="rsa2048")


@pytest.fixture(scope="session")
def signer(signing: Keys, key: str) -> Iterator[Signer]:
    """Real signatures by a throw-away key."""
    processes = Processes()
    with open_signer([key], processes=processes, environment=signing.environment) as opened:
        yield opened


@pytest.fixture(scope="session")
def plain(signer: Signer) -> Plain:
    return Plain(keys=signer.described_keys())


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every release of the product in both formats."""
    directory = tmp_path_factory.mktemp("demo")
    return build(write_product(directory / "specs", RELEASES), directory / "dist")


@pytest.fixture(scope="session")
def releases(packages: Path) -> tuple[tuple[PackageFile, ...], ...]:
    """The packages of each release, oldest first."""
    return tuple(
        read(*(path for path in sorted(packages.iterdir()) if _is_of(path, f"1.{number}.0")))
        for number in range(RELEASES)
    )


def _is_of(path: Path, release: str) -> bool:
    return path.suffix in (".deb", ".rpm") and f"{release}-1" in path.name


@dataclass(slots=True, kw_only=True)
class Shop:
    """A repository whose clock goes on by an hour with each publication."""

    repository: Path
    signer: Signs
    now: int = START
    proved: list[tuple[str, int, int]] = field(default_factory=list)

    def publisher(self, **options: object) -> Publisher:
        self.now += 3600

        def prove(channel: str, files: Sequence[PackageFile], new: frozenset[str]) -> None:
            self.proved.append((channel, len(files), len(new)))

        values = {"url": URL, "now": self.now, "signer": self.signer, **options}
        return Publisher(repository=self.repository, prove=prove, report=quiet, **values)  # type: ignore[arg-type]

    def do(self, deed: Deed, **options: object) -> Outcome:
        return self.publisher(**options).publish(deed)

    def add(
        self,
        *files: PackageFile,
        channel: str = "stable",
        allowed: str = "",
        force: bool = False,
        **options: object,
    ) -> Outcome:
        names = frozenset(allowed.split())
        deed = Add(files=files, channels=[channel], allowed=names, force=force)
        return self.do(deed, **options)


@pytest.fixture
def shop(tmp_path: Path, plain: Plain) -> Shop:
    return Shop(repository=tmp_path / "repository", signer=plain)
