"""What `interlock rehearse --json` wrote, read back: whether each server worked at each release."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.edge.small_file import read_small
from toolchain.errors import UsageError
from toolchain.matrix.views import Verdicts
from toolchain.model.law import compatible
from toolchain.model.release import Product
from toolchain.model.version import Version

# A chain of 30 releases measures 3,450 pairs, which is 6 MB.
_LONGEST = 512 << 20
_AGAIN = "write it with 'interlock rehearse PRODUCT --json'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The first thing that failed of a server at a release, and how many more did.

    `sql` is the statement, None where a probe failed.
    """

    sentence: str
    sql: str | None
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a rehearsal says of a product's pairs; those that were not tried are in neither.

    `broken` are sentences about walks that ended early, and about upgraded shards that differ.
    """

    postgresql: str
    works: Verdicts
    failed: Mapping[tuple[Version, Version], Failed]
    broken: tuple[str, ...]


def read_measured(path: Path, product: Product) -> Tried:
    """Read a rehearsal of this product; raises UsageError where the file is another thing."""
    try:
        document = json.loads(read_small(path, _LONGEST))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}", "make it readable") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no rehearsal: it is not JSON", _AGAIN) from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no rehearsal: it is not a JSON object", _AGAIN)
    try:
        name = document["product"]
        if name != product.name:
            raise UsageError(f"{path} is a rehearsal of {name!r}, not of {product.name}", _AGAIN)
        return _tried(path, document, product)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"{path} is no rehearsal: it lacks or garbles {error}", _AGAIN) from error


def _tried(path: Path, document: Any, product: Product) -> Tried:
    works: dict[tuple[Version, Version], bool] = {}
    failed: dict[tuple[Version, Version], Failed] = {}
    states = document["states"]
    for pair in document["pairs"]:
        state = states[int(pair["state"])]
        key = Version.parse(pair["server"]), Version.parse(state["release"])
        _require_known(path, product, key)
        ends = state["half_way"] is False
        if ends and state["way"] == "":
            _require_same_windows(path, product, key, declared=pair["declared"] is True)
        # Half-way a shard says less of itself than it could: only a broken promise counts there.
        counts = ends or (pair["declared"] is True and pair["measured"] is False)
        if not counts or not isinstance(pair["measured"], bool):
            continue
        works[key] = works.get(key, True) and pair["measured"]
        if not pair["measured"] and key not in failed:
            failed[key] = _failed(pair["failures"], state, half_way=not ends)
    return Tried(
        postgresql=str(document["postgresql"]["version"]),
        works=works,
        failed=failed,
        broken=(
            *(
                f"the walk ends at {broken['release']}: {broken['message']}"
                for broken in document["broken"]
            ),
            *(_differs(fresh) for fresh in document["fresh_installs"] if fresh["differences"]),
        ),
    )


def _require_known(path: Path, product: Product, key: tuple[Version, Version]) -> None:
    known = {release.version for release in product.releases}
    for version in key:
        if version not in known:
            raise UsageError(
                f"{path} measured release {version}, which {product.name} does not have",
                "rehearse again",
            )


def _require_same_windows(
    path: Path, product: Product, key: tuple[Version, Version], *, declared: bool
) -> None:
    """A measurement of other windows would colour pairs that it never tried as they are now."""
    server, shard = map(product.release, key)
    if compatible(server.server_handshake, shard.shard_handshake) != declared:
        raise UsageError(
            f"{path} was measured with other windows: those of server {server.version} and"
            f" database {shard.version} have changed since",
            "rehearse again",
        )


def _failed(failures: Any, state: Any, *, half_way: bool) -> Failed:
    first = failures[0]
    code = f" (SQLSTATE {first['code']})" if first["statement"] and first["code"] else ""
    named = f"{first['statement']} at {first['place']}" if first["statement"] else "the probe"
    when = f" half-way, after {state['after']}" if half_way else ""
    detail = f"; {first['detail']}" if first["detail"] else ""
    return Failed(
        sentence=f"{named}{when}: {first['answer']}{code}{detail}",
        sql=None if first["sql"] is None else str(first["sql"]),
        more=len(failures) - 1,
    )


def _differs(fresh: Any) -> str:
    names = ", ".join(str(each["object"]) for each in fresh["differences"])
    way = " → ".join(map(str, fresh["way"]))
    return f"a shard upgraded {way} differs from a fresh {fresh['release']}: {names}"
