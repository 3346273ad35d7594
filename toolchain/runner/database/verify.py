"""`verify`: whether ledger, package and schema still tell the same story."""

from __future__ import annotations

from ..core.errors import Exit
from ..core.fleet import Report
from ..core.session import Session
from ..ledger import walk
from ..ledger.drift import find_drift, invalid_indexes
from ..ledger.gate import read_registrations
from ..ledger.manifest import Manifest
from ..ledger.records import Ledger
from ..ledger.state import known_ledger, spell_state, spell_unmoved, state_data


def verify(session: Session, manifest: Manifest) -> Report:
    """Compare a shard with the package; raises LedgerConflict, reports all other findings."""
    ledger = known_ledger(session, manifest)
    if ledger is None:
        return Report(
            lines=(f"no ledger of {manifest.product}",),
            data={"ledger": False, "findings": ["no ledger"]},
            exit_code=Exit.REFUSED,
        )
    findings = [
        *_handshake_findings(manifest, ledger),
        *(
            f"{'the undo of ' if ledger.state(step) == 'undoing' else ''}step {step} is unfinished"
            for step in manifest.steps
            if ledger.state(step) in {"running", "undoing"}
        ),
        *(f"invalid index {index}: drop or rebuild it" for index in invalid_indexes(session)),
        *(
            f"drift: {change} since the last run"
            for change in find_drift(session, manifest.product)
        ),
        *(
            f"{'live ' if server.live else ''}server {server} does not fit this shard"
            for server in read_registrations(session, manifest.product, ledger.handshake)
            if server.misfit
        ),
    ]
    return Report(
        lines=tuple(findings)
        or (f"in order: {spell_state(ledger)}", *spell_unmoved(manifest, ledger)),
        data={**state_data(ledger), "findings": findings},
        exit_code=Exit.REFUSED if findings else Exit.OK,
    )


def _handshake_findings(manifest: Manifest, ledger: Ledger) -> list[str]:
    """What the shard says against what its steps mean.

    The windows that releases before the baseline left are unknown here, so with one of those
    only the schema is compared.
    """
    ready = walk.release_index(manifest, ledger.ready)
    shut = walk.release_index(manifest, ledger.closed)
    wanted = walk.expected(manifest, ready, shut)
    known = ledger.closed is None or shut >= 0
    if ledger.handshake.schema != wanted.schema or (known and ledger.handshake != wanted):
        return [f"the shard says {ledger.handshake}, and its steps mean {wanted}"]
    return []
