"""The windows that specs declare against those that follow from changes, phases and forms.

A promise wider than the truth is an error: a customer would run what fails. It is told at the
release that came out last of the two that it is about, since the other one may be published. A
promise narrower than the truth is a hint.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from toolchain.matrix.derivation import Obstacle
from toolchain.model.version import Version
from toolchain.model.window import Point, Window
from toolchain.spec.chain.promises import Cause, Promises
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Complaint, Place, Problem


def check_truth(promises: Promises) -> Iterator[Problem]:
    """The windows that are wider than the truth, declared ones or derived before a hotfix."""
    for at, release in enumerate(promises.releases):
        schema = promises.derivation.schema_obstacle(at, release.schemas.below)
        if schema is not None and schema.point in release.schemas:
            yield _lacking(promises, at, release, schema)
        server = promises.derivation.server_obstacle(at, release.servers.below)
        if release.packaged and server is not None and server.point in release.servers:
            yield _removing(promises, at, release, server)


def hints(promises: Promises) -> Iterator[Problem]:
    """The declared windows that leave out counterparts which fit."""
    schemas = sorted({link.schema for link in promises.chain.links})
    versions = [link.version for link in promises.chain.links]
    for at, release in enumerate(promises.declared):
        if release.schemas_declared:
            widest = promises.derivation.schemas(at).oldest
            yield from _narrow(release.schemas, widest, schemas, release.schemas_place)
        if release.servers_declared:
            earliest = promises.derivation.servers(at).oldest
            yield from _narrow(release.servers, earliest, versions, release.servers_place)


def _lacking(promises: Promises, at: int, release: Facts, obstacle: Obstacle[int]) -> Problem:
    cause = promises.lack(at, obstacle, release.schemas)
    other = promises.declared[obstacle.release]
    if _is_bound(promises, release, other):
        complaint = Complaint(
            Code.WINDOW_TOO_WIDE,
            f"the server of {release.version} accepts schemas '{release.schemas}' and needs"
            f" the new form of {obstacle.change}, which {other.version} lacks under schema"
            f" {obstacle.point}",
            f"carry the change in {other.version} too, or keep the schema version of the"
            " release that it is built upon",
        )
        return complaint.at(other.schema_place, *promises.need(at, obstacle.change))
    truth = promises.derivation.schemas(at).oldest
    enough = truth is not None and truth <= promises.oldest_schema(release)
    return _too_wide(
        cause, f"'{release.schemas}'", truth if enough else None, release.schemas_place
    )


def _removing(promises: Promises, at: int, release: Facts, obstacle: Obstacle[Version]) -> Problem:
    cause, other = promises.loss(at, obstacle), promises.declared[obstacle.release]
    if _is_bound(promises, release, other):
        complaint = Complaint(
            Code.WINDOW_TOO_WIDE,
            f"the server of {other.version} uses the old form of {obstacle.change}, and the"
            f" database of {release.version}, released before it, accepts servers"
            f" '{release.servers}' after the contract",
            f"let {other.version} use the new form or both (server.forms)",
        )
        return complaint.at(
            promises.user_place(obstacle.release, obstacle.change), *promises.removal(at, obstacle)
        )
    truth = promises.derivation.servers(at).oldest
    enough = truth is not None and truth <= promises.oldest_server(release)
    return _too_wide(
        cause, f"'{release.servers}'", truth if enough else None, release.servers_place
    )


def _is_bound(promises: Promises, release: Facts, other: Facts) -> bool:
    """Whether a release can be changed no more, and the other one has to fit it."""
    if release.version in promises.published:
        return other.version not in promises.published
    return other.date > release.date


def _too_wide(cause: Cause, window: str, truth: int | Version | None, place: Place) -> Problem:
    """The problem; `truth` is where the window may begin, None where that would not be enough."""
    return Complaint(
        Code.WINDOW_TOO_WIDE,
        f"the window {window} is too wide: {cause.message}",
        cause.repair if truth is None else f"write '>= {truth}', or {cause.repair}",
    ).at(place, *cause.related)


def _narrow(
    window: Window[Point], widest: Point | None, points: Sequence[Point], place: Place
) -> Iterator[Problem]:
    """A hint where a counterpart of the chain is left out for no reason."""
    if widest is None or not widest < window.oldest:
        return
    if bisect_left(points, widest) < bisect_left(points, window.oldest):
        yield Complaint(
            Code.WINDOW_COULD_BE_WIDER,
            f"the window '{window}' could begin at '>= {widest}': all that lies between fits",
            f"write '>= {widest}' to promise it, or leave the window as it is",
        ).at(place)
