"""Which window keeps two halves of a product apart, and how wide it would have to be."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.law import compatible, peers_compatible
from toolchain.model.window import Point, Window
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A window that leaves something out: where it stands, what it leaves out, what mends it."""

    place: Place
    message: str
    cure: str


def shard_refusals(server: Facts, shard: Facts) -> tuple[Refusal, ...]:
    """Why a server may not work on a shard; nothing where the law lets it."""
    if compatible(server.server, shard.shard):
        return ()
    return (
        *_left_out(shard.servers, server.version, shard.servers_place, "server"),
        *_left_out(server.schemas, shard.schema, server.schemas_place, "schema"),
    )


def peer_refusals(newer: Facts, older: Facts) -> tuple[Refusal, ...]:
    """Why an older server may not run beside a newer one; nothing where the law lets it."""
    if peers_compatible(newer.server, older.server):
        return ()
    return tuple(_left_out(newer.peers, older.version, newer.peers_place, "server"))


def own_refusals(release: Facts) -> tuple[Refusal, ...]:
    """The windows of a release that leave out the release itself."""
    return (
        *shard_refusals(release, release),
        *_left_out(release.peers, release.version, release.peers_place, "server"),
    )


def _left_out(window: Window[Point], point: Point, place: Place, noun: str) -> Iterator[Refusal]:
    if point in window:
        return
    if point < window.oldest:
        cure = f"begin the window with '>= {point}'"
    else:
        cure = f"raise its ceiling above {point}, or leave the ceiling out"
    yield Refusal(
        place=place, message=f"the window '{window}' leaves out {noun} {point}", cure=cure
    )
