"""Whether a cluster can move from one release to the next at all, one server or shard at a time.

Two servers and two shards stand for any number: a state is legal when the law holds between every
server and every shard, and between every two servers, so only which releases are present counts.
"""

from collections.abc import Iterator, Sequence

from toolchain.model.history import successions
from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.model.version import Version
from toolchain.spec.chain.promises import Promises
from toolchain.spec.chain.published import blame_the_newer
from toolchain.spec.chain.refusal import own_refusals, peer_refusals, shard_refusals
from toolchain.spec.chain.windows import meetings
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Complaint, Problem, Related

# For each server whether it is at the later release, and for each shard how far it is on its way:
# at the earlier release; with the later one's schema, but no contract begun; wholly at the later
# one. In the second the old servers are still accepted, however narrow the later window is.
_State = tuple[int, ...]
_START: _State = (0, 0, 0, 0)
_END: _State = (1, 1, 2, 2)


def check_rollouts(promises: Promises, others: Sequence[Facts] = ()) -> Iterator[Problem]:
    """From each release to its successor there is an order of steps with legal states only.

    `others` are published releases without specs. Where a window is too narrow for the policy, or
    for its own release, that has been told.
    """
    releases = sorted((*promises.releases, *others), key=lambda release: release.version)
    for earlier, later in successions(releases):
        told = own_refusals(earlier) or own_refusals(later)
        if promises.skew > 0:
            told = told or meetings(earlier, later, promises.rollout)
        if not told and not has_rollout(earlier, later):
            yield _problem(earlier, later, promises.published)


def has_rollout(earlier: Facts, later: Facts) -> bool:
    """Search all orders of single steps."""
    seen, waiting = {_START}, [_START]
    while waiting:
        state = waiting.pop()
        if state == _END:
            return True
        for at, end in enumerate(_END):
            if state[at] < end:
                following = (*state[:at], state[at] + 1, *state[at + 1 :])
                if following not in seen and _is_legal(following, earlier, later):
                    seen.add(following)
                    waiting.append(following)
    return False


def _is_legal(state: _State, earlier: Facts, later: Facts) -> bool:
    servers = [later.server if moved else earlier.server for moved in state[:2]]
    shards = [
        ShardHandshake(
            schema=(later if stage else earlier).schema,
            servers=(later if stage == _END[-1] else earlier).servers,
        )
        for stage in state[2:]
    ]
    return peers_compatible(*servers) and all(
        compatible(server, shard) for server in servers for shard in shards
    )


def _problem(earlier: Facts, later: Facts, published: frozenset[Version]) -> Problem:
    peers = peer_refusals(later, earlier)
    if peers:
        blocking = peers
        reason = f"{peers[0].message}, so the servers cannot be moved one by one"
    else:
        blocking = shard_refusals(earlier, later)[:1] + shard_refusals(later, earlier)[:1]
        shards, servers = (refusal.message for refusal in blocking)
        reason = f"shards first, {shards}; servers first, {servers}"
    problem = Complaint(
        Code.NO_ROLLOUT,
        f"no order of steps leads from {earlier.version} to {later.version}: {reason}",
        f"{blocking[0].cure}, or release a version between the two that fits both",
    ).at(
        blocking[0].place,
        *(Related(origin=other.place.origin, message=other.message) for other in blocking[1:]),
    )
    owner = blocking[0].owner
    return blame_the_newer(problem, owner, later if owner is earlier else earlier, published)
