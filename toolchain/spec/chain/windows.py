"""Whether the windows of releases hold what they must: their own release, and those before it.

Checked by the law itself, over each release R and each earlier release P in its reach. With `skew`
N the reach goes back to the Nth final release before R; pre-releases on the way are in it and do
not count. Which halves of P and R meet follows from the rollout policy:

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

from toolchain.model.release import RolloutPolicy
from toolchain.spec.chain.refusal import Refusal, own_refusals, peer_refusals, shard_refusals
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Complaint, Place, Problem, Related


def check_own(releases: Sequence[Facts]) -> Iterator[Problem]:
    """Each window holds its own release, or the two packages of a pair would not fit."""
    for release in releases:
        for refusal in own_refusals(release):
            yield Complaint(
                Code.WINDOW_EXCLUDES_ITSELF,
                f"{refusal.message} of its own release {release.version}",
                refusal.cure,
            ).at(refusal.place)


def check_reach(releases: Sequence[Facts], rollout: RolloutPolicy, skew: int) -> Iterator[Problem]:
    """Each window reaches back as far as the product promises; `releases` are in version order."""
    for at, release in enumerate(releases):
        told: set[Place] = {refusal.place for refusal in own_refusals(release)}
        for earlier in _reach(releases[:at], skew):
            for refusal in meetings(earlier, release, rollout):
                if refusal.place not in told:
                    told.add(refusal.place)
                    yield _too_narrow(refusal, earlier, release, rollout, skew)


def meetings(earlier: Facts, later: Facts, rollout: RolloutPolicy) -> tuple[Refusal, ...]:
    """What goes wrong where two releases meet in an upgrade that follows the policy."""
    either = (*shard_refusals(earlier, later), *peer_refusals(later, earlier))
    if rollout is RolloutPolicy.ANY_ORDER:
        return (*either, *shard_refusals(later, earlier))
    return either


def _reach(before: Sequence[Facts], skew: int) -> Sequence[Facts]:
    """The releases that a window must reach back to, oldest first, so that one cure serves all."""
    finals = [at for at, release in enumerate(before) if release.version.stage is None]
    if skew == 0:
        return ()
    return before[finals[-skew] :] if len(finals) >= skew else before


def _too_narrow(
    refusal: Refusal, earlier: Facts, later: Facts, rollout: RolloutPolicy, skew: int
) -> Problem:
    other = later if refusal.place.origin.file == earlier.version_place.origin.file else earlier
    return Complaint(
        Code.WINDOW_TOO_NARROW,
        f"{refusal.message}, and {earlier.version} and {later.version} meet in an upgrade"
        f" (rollout {rollout.value}, skew {skew})",
        f"{refusal.cure}; if that would not be true, move the change that needs it to a later"
        " release",
    ).at(
        refusal.place,
        Related(origin=other.version_place.origin, message=f"the release {other.version}"),
    )
