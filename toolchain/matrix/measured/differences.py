"""The differences between declared and measured, each told once however many states show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.matrix.measured.values import (
    Broken,
    Cell,
    Failure,
    Measured,
    SchemaComparison,
    State,
)
from toolchain.matrix.measured.verdict import Verdict, overall, verdict
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePromise:
    """A statement of a server that fails in states where the windows let the server run.

    `failure` is the first; with `varies` others have other details.
    """

    server: Release
    failure: Failure
    varies: bool
    states: tuple[State, ...]
    release: Release

    @property
    def first(self) -> State:
        """The first state that shows it, which is of `release`."""
        return self.states[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderWindow:
    """Releases whose shards a server would run on, though the windows refuse it there."""

    server: Release
    releases: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All differences of one rehearsal, and the servers that had nothing to be tried with.

    `orders` are the schemas that differ in the order of their columns alone.
    """

    promises: tuple[FalsePromise, ...]
    wider: tuple[WiderWindow, ...]
    unmeasured: tuple[Version, ...]
    schemas: tuple[SchemaComparison, ...]
    orders: tuple[SchemaComparison, ...]
    broken: tuple[Broken, ...]

    @property
    def any(self) -> bool:
        """Whether something is wrong; neither a window that could be wider nor an order is."""
        return bool(self.promises or self.schemas or self.broken)


def differences(product: Product, measured: Measured) -> Differences:
    """What the windows say and the measurement does not, the newest knowledge last."""
    return Differences(
        promises=_promises(product, measured),
        wider=_wider(product, measured),
        unmeasured=tuple(
            server
            for server in servers_of(measured)
            if all(cell.failures is None for cell in measured.cells if cell.server == server)
        ),
        schemas=tuple(each for each in measured.comparisons if not each.order_alone),
        orders=tuple(
            each for each in measured.comparisons if each.differences and each.order_alone
        ),
        broken=measured.broken,
    )


def servers_of(measured: Measured) -> tuple[Version, ...]:
    """The servers that were tried, from the oldest to the newest."""
    return tuple(sorted({cell.server for cell in measured.cells}))


def releases_of(measured: Measured) -> tuple[Version, ...]:
    """The releases whose states were walked, from the oldest to the newest."""
    return tuple(sorted({state.release for state in measured.states}))


def by_release(measured: Measured) -> dict[tuple[Version, Version], list[Cell]]:
    """The cells of each server in each release's states, in the order of the walk."""
    found: dict[tuple[Version, Version], list[Cell]] = {}
    for cell in measured.cells:
        found.setdefault((cell.server, cell.state.release), []).append(cell)
    return found


def _promises(product: Product, measured: Measured) -> tuple[FalsePromise, ...]:
    found: dict[tuple[Version, tuple[str, ...]], list[tuple[Failure, State]]] = {}
    for cell in measured.cells:
        if verdict(cell) is Verdict.FALSE_PROMISE:
            for failure in cell.failures or ():
                key = (cell.server, failure.told_as)
                found.setdefault(key, []).append((failure, cell.state))
    return tuple(
        FalsePromise(
            server=product.release(server),
            failure=shown[0][0],
            varies=len({failure.detail for failure, _ in shown}) > 1,
            states=tuple(dict.fromkeys(state for _, state in shown)),
            release=product.release(shown[0][1].release),
        )
        for (server, _), shown in sorted(found.items(), key=lambda item: item[0][0])
    )


def _wider(product: Product, measured: Measured) -> tuple[WiderWindow, ...]:
    found: dict[Version, list[Version]] = {}
    for (server, release), cells in by_release(measured).items():
        if _all_wider(cells):
            found.setdefault(server, []).append(release)
    return tuple(
        WiderWindow(server=product.release(server), releases=tuple(sorted(releases)))
        for server, releases in sorted(found.items())
    )


def _all_wider(cells: Sequence[Cell]) -> bool:
    """A release's end can be reached in several ways; each must show it."""
    ends = [cell for cell in cells if cell.state.ends]
    return (
        bool(ends)
        and overall(cells) is Verdict.COULD_BE_WIDER
        and all(verdict(cell) is Verdict.COULD_BE_WIDER for cell in ends)
    )
