"""What the safety lint finds in procrastinate's own SQL, and why a shard can bear it.

The files are upstream's and stay as they are. The reasons say what a customer has to know; they are
for the one table that grows, procrastinate_jobs, whose finished jobs procrastinate can delete.
"""

import hashlib
from collections.abc import Mapping

_INDEX = "Upstream builds it so; new jobs wait meanwhile, so run the step when few jobs are kept."
_UPDATE = "Only jobs that are being aborted at this moment are written, and those are few."
_DROP = "The indexes give way to new ones in the same transaction, which CONCURRENTLY cannot do."
_REWRITE = (
    "Upstream rewrites the jobs to lose an enum label, and all workers wait; delete finished jobs"
    " first, or stop the workers."
)
_SCAN = "The same step has locked and rewritten the table already, so the scan adds little."
_OWN_TRIGGERS = "This very file replaces the triggers of these functions, and no server calls them."
_OTHER_NAME = "procrastinate_defer_jobs_v1 of the same change replaces both, under another name."

# The texts that were judged, by the first digits of their SHA-256: upstream mends files in place,
# and a text that nobody has read is allowed nothing.
_JUDGED = frozenset(
    {
        "66c0fdc9ea24569f",
        "35daf17aa8c98062",
        "e79f3dc19f80de6f",
        "d16fba7d14d5c699",
        "f07b98da98e47088",
        "8fc1d2c94a057eab",
    }
)

_ALLOWED: Mapping[str, Mapping[str, str]] = {
    "02.14.01_01_add_indexes_for_fetch_job": {"lint-index-lock": _INDEX, "lint-index-drop": _DROP},
    "03.00.00_01_pre_cancel_notification": {"lint-write": _UPDATE},
    "03.00.00_50_post_cancel_notification": {
        "lint-index-lock": _INDEX,
        "lint-index-drop": _DROP,
        "lint-write": _UPDATE,
        "lint-type-rewrite": _REWRITE,
        "lint-constraint-scan": _SCAN,
        "lint-contract-stranger": _OWN_TRIGGERS,
    },
    "03.01.00_01_pre_add_heartbeat": {"lint-index-lock": _INDEX},
    "03.02.00_50_post_batch_defer_jobs": {"lint-contract-stranger": _OTHER_NAME},
}


def allowed(file: str, sql: bytes) -> Mapping[str, str]:
    """The findings that a migration may have, each with the reason; none for an unknown text."""
    judged = hashlib.sha256(sql).hexdigest()[:16] in _JUDGED
    return _ALLOWED.get(file.removesuffix(".sql"), {}) if judged else {}
