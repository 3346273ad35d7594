"""The roll call: before a form goes away, each server that runs has the time to register again."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..core.errors import Refused
from ..core.law import Handshake
from ..core.session import Session
from ..ledger.doubt import Doubt, notice_history, read_doubt
from ..ledger.gate import require_fit
from ..ledger.records import read_ledger
from .activity import Activity
from .run import Run

_LOOK = 1.0


def answer_roll_call(
    session: Session, run: Run, purpose: str, propose: Callable[[Handshake], Handshake]
) -> Doubt | None:
    """Wait until a doubt about the registrations has passed, and return it; None where none is.

    Raises Blocked at once where a server that is known cannot live with what will be proposed.
    """
    notice_history(session)
    doubt = read_doubt(session, run.product)
    if doubt is None:
        return None
    ledger = read_ledger(session, run.product)
    if ledger is not None:
        # Asked again where it counts; here, so that nobody waits in vain.
        require_fit(session, run.product, propose(ledger.handshake), purpose)
    run.teller.say(f"{purpose} {doubt}")
    end = time.monotonic() + doubt.left
    while (left := end - time.monotonic()) > 0:
        run.stop.check()
        run.teller.show(Activity(f"{purpose} waits for the roll call", left=left))
        run.stop.wait(min(left, _LOOK))
    return doubt


def require_answered(session: Session, run: Run, purpose: str, answered: Doubt | None) -> None:
    """Raise Refused for a doubt that nobody waited for, inside the gate's transaction."""
    doubt = read_doubt(session, run.product)
    if doubt is not None and (answered is None or doubt.since != answered.since):
        raise Refused(
            f"{purpose} {doubt}",
            "run it again; if that happens each time, two hosts have one name",
        )
