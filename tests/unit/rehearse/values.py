"""States, cells and products of a few words."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from toolchain.matrix.measured.values import Cell, Failure, Means, State
from toolchain.model.law import ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.release import (
    DatabaseSpec,
    Product,
    Release,
    RolloutPolicy,
    ServerSpec,
)
from toolchain.model.statement import Statement
from toolchain.model.version import Version
from toolchain.model.window import Window

HERE = Origin(file="spec.yaml")


def release(version: str, day: int, *, packaged: bool) -> Release:
    own = Version.parse(version)
    return Release(
        version=own,
        date=date(2026, 1, 1) + timedelta(days=day),
        revision=1,
        changelog=("News.",),
        server=ServerSpec(
            schemas=Window(1),
            peers=Window(own),
            binaries=(),
            origin=HERE,
            schemas_origin=HERE,
            peers_origin=HERE,
        ),
        database=DatabaseSpec(
            schema=1,
            servers=Window(own),
            packaged=packaged,
            origin=HERE,
            servers_origin=HERE,
        ),
        origin=HERE,
    )


def product_of(days: Mapping[str, int], unpackaged: Sequence[str] = ()) -> Product:
    return Product(
        name="demo", summary="", description="", maintainer="", homepage="", licence="",
        copyright="", rollout=RolloutPolicy.DATABASE_FIRST, skew=1, protect=True, targets=(),
        releases=tuple(
            release(version, day, packaged=version not in unpackaged)
            for version, day in days.items()
        ),
        origin=HERE,
    )  # fmt: skip


def state(release: str, *, action: str = "ready", ends: bool = True, way: str = "") -> State:
    return State(
        release=Version.parse(release),
        action=action,
        shard=ShardHandshake(schema=1, servers=Window(Version(1, 0, 0))),
        ends=ends,
        way=way,
    )


def failure(message: str = 'column "a" does not exist') -> Failure:
    statement = Statement(name="get", sql="SELECT a", text="SELECT a", origin=HERE)
    return Failure(means=Means.PREPARE, statement=statement, code="42703", message=message)


def cell(
    server: str, at: State, *, declared: bool, fails: bool = False, message: str = "no"
) -> Cell:
    return Cell(
        server=Version.parse(server),
        state=at,
        declared=declared,
        failures=(failure(message),) if fails else (),
    )
