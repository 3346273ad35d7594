"""Fleetdesk's chain, as its specs declare it, and every place where a shard can stand in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain.build.product import open_product
from toolchain.model.change import Step
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import schema_window, version_window

PRODUCT = Path(__file__).parents[3] / "release-specs" / "fleetdesk"
PHASES = ("expand", "migrate", "contract")
OPENED = open_product(PRODUCT)
READ = OPENED.sql()


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of the chain; `steps` are (phase, step) in the order they run."""

    version: Version
    spec: dict[str, Any]
    server: ServerHandshake
    shard: ShardHandshake
    steps: tuple[tuple[str, Step], ...]

    def __str__(self) -> str:
        return str(self.version)

    def of(self, phase: str) -> list[Step]:
        """The steps of one phase."""
        return [step for each, step in self.steps if each == phase]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A place on the walk: a release's phase is through, and the shard says this of itself."""

    release: Release
    phase: str
    shard: ShardHandshake

    def __str__(self) -> str:
        return f"{self.release}-{self.phase}"


def _release(path: Path) -> Release:
    spec = yaml.safe_load(path.read_text())
    version, windows = Version.parse(spec["release"]), spec["compatibility"]
    return Release(
        version=version,
        spec=spec,
        server=ServerHandshake(
            version=version,
            schemas=schema_window(windows["server"]["schema"]),
            peers=version_window(windows["server"]["peers"]),
        ),
        shard=ShardHandshake(
            schema=spec["schema"]["version"],
            servers=version_window(windows["database"]["servers"]),
        ),
        steps=tuple(
            (step.phase.value, step) for step in OPENED.product.release(version).database.steps
        ),
    )


def _stops(chain: Sequence[Release]) -> Iterator[Stop]:
    """Every phase of every release, with the two numbers as conservative as the runner has them.

    The schema is claimed with the last step before a contract, at once where there is none; the
    servers are narrowed when the contract begins.
    """
    schema, windows = 0, chain[0].shard.servers
    for release in chain:
        preparing = [phase for phase in ("expand", "migrate") if release.of(phase)] or ["ready"]
        for phase in preparing:
            if phase == preparing[-1]:
                schema = release.shard.schema
            now = ShardHandshake(schema=schema, servers=windows)
            yield Stop(release=release, phase=phase, shard=now)
        if release.of("contract"):
            windows = release.shard.servers
            now = ShardHandshake(schema=schema, servers=windows)
            yield Stop(release=release, phase="contract", shard=now)


CHAIN = tuple(
    sorted(map(_release, PRODUCT.glob("[0-9]*.yaml")), key=lambda release: release.version)
)
BY_NAME = {str(release): release for release in CHAIN}
STOPS = tuple(_stops(CHAIN))
ENDS = {str(stop.release): stop for stop in STOPS}  # the last one of each release remains


def end_of(version: str) -> Stop:
    """Where the walk stands when that release is through."""
    return ENDS[version]
