"""The matrix: every server against every state that a shard can be in after a release."""

from dataclasses import dataclass

from toolchain.model.law import ShardHandshake, compatible
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """What a shard says of itself, and the releases whose database says the same."""

    handshake: ShardHandshake
    releases: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """`fits[row][column]`: whether that server may run on a shard in that state.

    Rows are the servers, columns the shard states, both from the oldest to the newest.
    """

    servers: tuple[Version, ...]
    states: tuple[ShardState, ...]
    fits: tuple[tuple[bool, ...], ...]


def shard_states(product: Product) -> tuple[ShardState, ...]:
    """The states that the product's releases leave a shard in; equal neighbours are one."""
    states: list[ShardState] = []
    for release in product.releases:
        handshake = release.shard_handshake
        if states and states[-1].handshake == handshake:
            known = states.pop()
            releases = (*known.releases, release.version)
            states.append(ShardState(handshake=handshake, releases=releases))
        else:
            states.append(ShardState(handshake=handshake, releases=(release.version,)))
    return tuple(states)


def matrix(product: Product) -> Matrix:
    """The product's matrix, cell by cell from the law."""
    states = shard_states(product)
    return Matrix(
        servers=tuple(release.version for release in product.releases),
        states=states,
        fits=tuple(
            tuple(compatible(release.server_handshake, state.handshake) for state in states)
            for release in product.releases
        ),
    )


def fitting_servers(product: Product, state: ShardState) -> tuple[Release, ...]:
    """The releases whose server may run on a shard in that state."""
    return tuple(
        release
        for release in product.releases
        if compatible(release.server_handshake, state.handshake)
    )


def fitting_states(product: Product, server: Release) -> tuple[ShardState, ...]:
    """The shard states on which that server may run."""
    return tuple(
        state
        for state in shard_states(product)
        if compatible(server.server_handshake, state.handshake)
    )
