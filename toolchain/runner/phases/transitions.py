"""How a shard's handshake moves: behind the gate, in one transaction, true at every instant."""

from __future__ import annotations

from ..core.errors import LedgerConflict
from ..core.law import Handshake
from ..core.session import Session
from ..core.version import Versions
from ..ledger import walk
from ..ledger.actions import Lower
from ..ledger.gate import require_fit
from ..ledger.manifest import Release
from ..ledger.records import read_ledger, write_handshake
from .retry import patiently
from .roll_call import answer_roll_call, require_answered
from .run import Run


def begin(session: Session, run: Run) -> None:
    """Write a new product's first handshake: schema 0, nothing ready."""
    with session.transaction():
        write_handshake(session, run.author, walk.fresh(run.manifest).handshake, None, None)


def require_ready_fit(session: Session, run: Run, release: Release) -> None:
    """Ask, before a release's first step, whether any live server's ceiling forbids its schema."""
    ledger = read_ledger(session, run.product)
    if ledger is not None:
        proposed = walk.made_ready(ledger.handshake, release)
        require_fit(session, run.product, proposed, f"schema {release.schema} of {release.version}")


def make_ready_within(session: Session, run: Run, release: Release) -> None:
    """Raise the schema inside the caller's transaction, which completes the release's steps."""
    current, _, shut = _locked(session, run)
    proposed = walk.made_ready(current, release)
    require_fit(session, run.product, proposed, f"schema {release.schema} of {release.version}")
    write_handshake(session, run.author, proposed, release.version, shut)


def make_ready(session: Session, run: Run, release: Release) -> None:
    """Raise the schema of a release without a step that would."""

    def attempt() -> None:
        with session.transaction():
            make_ready_within(session, run, release)

    patiently(session, run, f"making {release.version} ready", attempt)


def close(session: Session, run: Run, release: Release) -> None:
    """Ask the gate and raise the oldest server, in one transaction.

    Registering locks the same row: a server is either seen here or sees the raised number.
    """
    purpose = f"the contract of {release.version}"
    answered = answer_roll_call(session, run, purpose, lambda said: walk.closed(said, release))

    def attempt() -> None:
        with session.transaction():
            current, ready, _ = _locked(session, run)
            proposed = walk.closed(current, release)
            require_fit(session, run.product, proposed, purpose)
            require_answered(session, run, purpose, answered)
            write_handshake(session, run.author, proposed, ready, release.version)

    patiently(session, run, f"the gate of {release.version}", attempt)


def lower(session: Session, run: Run, action: Lower) -> None:
    """Say the older schema, unless a registered server needs the newer one."""
    purpose = f"going back to {action.handshake}"
    answered = answer_roll_call(session, run, purpose, lambda _: action.handshake)

    def attempt() -> None:
        with session.transaction():
            _, _, shut = _locked(session, run)
            require_fit(session, run.product, action.handshake, purpose)
            require_answered(session, run, purpose, answered)
            write_handshake(session, run.author, action.handshake, action.ready, shut)

    patiently(session, run, "lowering the schema", attempt)


def _locked(session: Session, run: Run) -> tuple[Handshake, str | None, str | None]:
    rows = session.rows(
        "SELECT schema, oldest_server, servers_below, ready_release, closed_release"
        " FROM interlock.handshake WHERE product = %s FOR NO KEY UPDATE",
        (run.product,),
    )
    if not rows:
        raise LedgerConflict(f"{run.product} has vanished from its ledger")
    schema, oldest, below, ready, shut = rows[0]
    return Handshake(schema, Versions(oldest, below)), ready, shut
