"""The answers that the law, a command and its gates ask for; a table is judged by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import assert_never

from toolchain.model.version import Version

from ..products import Packaged
from .commands import Answer, Gate
from .reasons import reasons, unfit
from .rows import Outcome, Row, Speaker

# dpkg's and rpm's own view of the relations is a solver's, too, in front of hook or script.
_SPEAKERS: Mapping[Gate, frozenset[Speaker]] = {
    Gate.SOLVER: frozenset({Speaker.SOLVER}),
    Gate.HOOK: frozenset({Speaker.SOLVER, Speaker.HOOK}),
    Gate.SCRIPT: frozenset({Speaker.SOLVER, Speaker.SCRIPT}),
}


def is_right(row: Row, packaged: Packaged) -> bool:
    """Whether an illegal server was kept out as this command and its gate do it."""
    if row.target is None:
        return _is_right_for_any(row, packaged)
    gives_reason = _gives_reason(row, packaged, row.target)
    match row.kind.answer:
        case Answer.NAMES:
            return row.outcome is Outcome.REFUSED and gives_reason
        case Answer.UNNAMED:
            broken = reasons(packaged, row.situation, row.target)
            hinted = any(reason.is_hinted(row.output) for reason in broken)
            return row.outcome is Outcome.REFUSED and hinted
        case Answer.SKIPS:
            return row.outcome is Outcome.HELD and gives_reason
        case Answer.KEEPS:
            kept = row.outcome is Outcome.HELD and _keeps_back(row, packaged)
            return kept or (row.outcome is Outcome.REFUSED and gives_reason)
        case Answer.STAYS:
            return row.outcome is Outcome.HELD
        case Answer.FINDS:
            found = left(row, packaged) == _newest(row, packaged, row.target)
            return row.outcome in (Outcome.HELD, Outcome.MOVED) and found and gives_reason
        case _ as never:
            assert_never(never)


def is_refused_by_the_hook(row: Row, packaged: Packaged) -> bool:
    """Whether nothing moved, and the hook names a shard that does not fit.

    dnf's shell ends with 0 whatever it was refused, so that it counts as held back.
    """
    assert row.target is not None
    wrong = set(unfit(row.situation, packaged, row.target))
    stayed = row.outcome in (Outcome.REFUSED, Outcome.HELD)
    return stayed and row.speaker is Speaker.HOOK and bool(wrong & set(row.shards_named))


def has_arrived(row: Row, packaged: Packaged) -> bool:
    """Whether the server that was asked for is installed."""
    return row.outcome is Outcome.MOVED and left(row, packaged) == row.target


def left(row: Row, packaged: Packaged) -> Version | None:
    """The server that the command left installed."""
    full = row.after.get(packaged.product.server_package, "")
    known = {version.packaged: version for version in packaged.versions}
    return known.get(full.split("-")[0])


def _is_right_for_any(row: Row, packaged: Packaged) -> bool:
    """Whether a command without a version went to the newest that fits, stayed, or said why not."""
    newest = packaged.versions[-1]
    match row.outcome:
        case Outcome.MOVED:
            found = left(row, packaged) == _newest(row, packaged, newest)
            return found and not row.kind.removes
        case Outcome.HELD:
            return not row.kind.removes
        case Outcome.REFUSED if row.speaker is Speaker.PROTECTION:
            # dselect-upgrade would remove what a refused `dpkg --remove` left marked.
            is_dselect = "dselect-upgrade" in row.kind.words
            return (row.kind.removes or is_dselect) and bool(row.shards_named)
        case Outcome.REFUSED:
            return not row.kind.removes and _gives_reason(row, packaged, newest)
        case _:
            return False


def _gives_reason(row: Row, packaged: Packaged, target: Version) -> bool:
    """Whether a gate that may speak here names a shard that the server does not fit."""
    allowed = _SPEAKERS[row.kind.gate]
    if row.kind.answer is Answer.FINDS:
        allowed |= {Speaker.PLUGIN}
    if row.kind.gate is Gate.SOLVER and (row.kind.removes or "{wanted_pair}" in row.kind.words):
        # A shard's package would have to go, which its protection forbids.
        allowed |= {Speaker.PROTECTION}
    wrong = set(unfit(row.situation, packaged, target))
    return row.speaker in allowed and bool(wrong & set(row.shards_named))


def _keeps_back(row: Row, packaged: Packaged) -> bool:
    server = re.escape(packaged.product.server_package)
    return bool(re.search(rf"kept back:\n(  .*)?\b{server}\b", row.output))


def _newest(row: Row, packaged: Packaged, most: Version) -> Version:
    """The newest server up to `most` that the shards accept."""
    return max(version for version in row.situation.legal(packaged) if version <= most)
