"""What is true of a shard: what the steps that have run have made and removed, whatever it says.

It goes by nothing that the runner has written about itself but which steps have run, so that the
audit finds a gate that was left out, and a handshake that promises what is not there.
"""

from toolchain.runner.core.law import Handshake
from toolchain.runner.core.version import Versions, version_key
from toolchain.runner.ledger.manifest import Manifest, Phase, Release
from toolchain.runner.ledger.records import Ledger


def truth(manifest: Manifest, ledger: Ledger) -> Handshake:
    """The schema whose forms are all there, and the servers none of whose forms is gone.

    `manifest` has the windows as they really are.
    """
    return Handshake(
        _schema(manifest, ledger),
        Versions(_oldest(manifest, ledger), ledger.handshake.servers.below),
    )


def _schema(manifest: Manifest, ledger: Ledger) -> int:
    schema = 0
    for release in manifest.releases:
        if any(ledger.state(step) != "done" for step in release.preparing):
            break
        # A release without a step of its own has its schema where the shard says so.
        if release.preparing or ledger.handshake.schema >= release.schema:
            schema = max(schema, release.schema)
    return schema


def _oldest(manifest: Manifest, ledger: Ledger) -> str:
    bounds = [manifest.baseline.servers.oldest]
    bounds += [each.servers.oldest for each in manifest.releases if _has_removed(each, ledger)]
    return max(bounds, key=version_key)


def _has_removed(release: Release, ledger: Ledger) -> bool:
    """Whether its contract has begun; one that runs no step leaves only the ledger's mark."""
    if any(ledger.state(step) != "pending" for step in release.of(Phase.CONTRACT)):
        return True
    closed = ledger.closed
    return closed is not None and version_key(release.version) <= version_key(closed)
