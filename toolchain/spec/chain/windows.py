"""Whether the windows of releases hold what they must: their own release, and those before it.

Checked by the law itself, over each release R and each earlier release P in its reach. With `skew`
N the reach goes back to the Nth final release before R (toolchain.model.history.reach). Which
halves of P and R meet follows from the rollout policy:

- Shards are moved one by one while servers of P run, so a server of P must fit a shard of R, under
  either policy.
- Servers are moved one by one, so servers of P and R run side by side, under either policy.
- Where servers may be moved first, a server of R must fit a shard of P: under `any-order` only.
  Under `database-first` no server of R starts before every shard is at R, so the window of its
  schemas need not reach back at all.

A shard on its way from P to R has the schema of one and the window of either (`schema` is raised
when the new forms are ready, `oldest_server` when a contract begins). Both bounds of the law are
looked at one by one, so the pairs above cover these states too.

A ceiling binds in the same way: a server of P with schemas `< 12` keeps shards from going to 12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from toolchain.model.history import reach
from toolchain.model.release import RolloutPolicy
from toolchain.spec.chain.promises import Promises
from toolchain.spec.chain.published import blame_the_newer
from toolchain.spec.chain.refusal import Kind, Refusal, own_refusals, peer_refusals, shard_refusals
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Complaint, Place, Problem, Related


def check_own(releases: Sequence[Facts], promises: Promises | None = None) -> Iterator[Problem]:
    """Each window holds its own release, or the two packages of a pair would not fit.

    Without promises, which a chain with a broken link has none of, declared windows only.
    """
    for release in releases if promises is None else promises.releases:
        for refusal in own_refusals(release):
            if promises is not None and refusal.is_early:
                refusal = _as_far_as_needed(promises, refusal)  # noqa: PLW2901
            yield _problem(
                Code.WINDOW_EXCLUDES_ITSELF,
                promises,
                refusal,
                f"{refusal.message} of its own release {release.version}",
            )


def _as_far_as_needed(promises: Promises, refusal: Refusal) -> Refusal:
    """A window that must begin earlier anyway should at once begin where `skew` wants it."""
    if refusal.kind is Kind.SCHEMAS:
        schema = promises.oldest_schema(refusal.owner)
        return replace(refusal, point=schema, cure=f"begin the window with '>= {schema}'")
    server = promises.oldest_server(refusal.owner)
    return replace(refusal, point=server, cure=f"begin the window with '>= {server}'")


def check_reach(promises: Promises, others: Sequence[Facts] = ()) -> Iterator[Problem]:
    """Each window reaches back as far as the product promises.

    `others` are published releases without specs, which a new release may meet as well.
    """
    releases = sorted((*promises.releases, *others), key=lambda release: release.version)
    for release in releases:
        told: set[Place] = {refusal.place for refusal in own_refusals(release)}
        for earlier in reach(releases, release, promises.skew):
            for refusal in meetings(earlier, release, promises.rollout):
                if refusal.place not in told:
                    told.add(refusal.place)
                    problem = _too_narrow(promises, refusal, earlier, release)
                    other = release if refusal.owner is earlier else earlier
                    yield blame_the_newer(problem, refusal.owner, other, promises.published)


def meetings(earlier: Facts, later: Facts, rollout: RolloutPolicy) -> tuple[Refusal, ...]:
    """What goes wrong where two releases meet in an upgrade that follows the policy."""
    either = (*shard_refusals(earlier, later), *peer_refusals(later, earlier))
    if rollout is RolloutPolicy.ANY_ORDER:
        return (*either, *shard_refusals(later, earlier))
    return either


def _too_narrow(promises: Promises, refusal: Refusal, earlier: Facts, later: Facts) -> Problem:
    other = later if refusal.owner is earlier else earlier
    return _problem(
        Code.WINDOW_TOO_NARROW,
        promises,
        refusal,
        f"{refusal.message}, and {earlier.version} and {later.version} meet in an upgrade"
        f" (rollout {promises.rollout.value}, skew {promises.skew})",
        Related(origin=other.version_place.origin, message=f"the release {other.version}"),
    )


def _problem(
    code: Code, promises: Promises | None, refusal: Refusal, message: str, *related: Related
) -> Problem:
    """A window that leaves out too much, with the change that forbids a wider one if any does."""
    cause = None if promises is None else promises.cause(refusal)
    if cause is None:
        return Complaint(code, message, refusal.cure).at(refusal.place, *related)
    cure = f"{cause.repair}, and {refusal.cure}" if refusal.is_declared else cause.repair
    return Complaint(code, f"{message}; it cannot be wider, since {cause.message}", cure).at(
        refusal.place, *related, *cause.related
    )
