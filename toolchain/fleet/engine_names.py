"""Names of a fleet that an engine can bear: some mean more than themselves in an inventory."""

import re
from collections.abc import Iterable

from toolchain.errors import UsageError

# No colon (a port, or a union of patterns), no '@', no bracket (a range), no brace (a template).
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_GROUPS = re.compile(r"all|ungrouped|servers|shards|wave_[0-9]+")


def check_names(hosts: Iterable[str], shards: Iterable[str]) -> None:
    """Raise UsageError for the first names that an engine would take for something else."""
    odd = sorted({host for host in hosts if _HOST.fullmatch(host) is None})
    if odd:
        raise UsageError(
            f"{_some(odd)} cannot be the name of a host in an exported rollout",
            "give --inventory with names of letters, digits, '.', '-' and '_'",
        )
    taken = sorted({host for host in hosts if _GROUPS.fullmatch(host)})
    if taken:
        raise UsageError(
            f"the host {_some(taken)} has the name of a group of the exported inventory",
            "call it by its full name, such as shards.example.com",
        )
    strange = sorted({name for name in shards if not _is_shard(name)})
    if strange:
        raise UsageError(f"{_some(strange)} is no name of a shard", "see its section of shards.ini")


def _is_shard(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", name) is not None


def _some(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
