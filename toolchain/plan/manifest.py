"""What the database package carries: the SQL of the chain, and the manifest that orders it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from toolchain.model.change import Batch, Script, Step
from toolchain.model.release import Product, Release
from toolchain.plan.entry import Entry, File
from toolchain.plan.handshake import release_json, window_json


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlText:
    """One SQL file: its bytes, their SHA-256 in hex, and its statements in order."""

    content: bytes
    sha256: str
    statements: tuple[str, ...]


SqlReader = Callable[[Script], SqlText]


def _carried(step: Step, release: Release) -> tuple[str, str]:
    """Where the step's SQL and its undo stand below the manifest."""
    base = f"sql/{release.version}/{step.id}"
    return f"{base}.sql", f"{base}.undo.sql"


def _step_json(step: Step, release: Release, read: SqlReader) -> dict[str, Any]:
    path, undo_path = _carried(step, release)
    text = read(step.sql)
    undo = step.undo
    return {
        "id": step.id,
        "change": step.change,
        "phase": step.phase.value,
        "transaction": step.transaction,
        "sql": path,
        "sha256": text.sha256,
        "undo": {"sql": undo_path, "sha256": read(undo).sha256} if undo else None,
        "batch": _batch_json(step.batch, text.statements) if step.batch else None,
        # Older runners know neither of these, and need not where nothing is said.
        **({} if step.readies else {"readies": False}),
    }


def _batch_json(batch: Batch, statements: tuple[str, ...]) -> dict[str, Any]:
    end = len(statements) - batch.finish
    parts = {"begin": statements[: batch.begin], "finish": statements[end:]}
    return {
        "table": batch.table,
        "key": batch.key,
        "statements": list(statements[batch.begin : end]),
        **{part: list(found) for part, found in parts.items() if found},
    }


def _step_files(step: Step, release: Release, root: str, read: SqlReader) -> Iterator[Entry]:
    path, undo_path = _carried(step, release)
    yield File(path=f"{root}/{path}", content=read(step.sql).content)
    if step.undo:
        yield File(path=f"{root}/{undo_path}", content=read(step.undo).content)


def _release_json(release: Release, read: SqlReader) -> dict[str, Any]:
    return {
        "release": str(release.version),
        "schema": release.database.schema,
        "servers": window_json(release.database.servers),
        "steps": [_step_json(step, release, read) for step in release.database.steps],
    }


def manifest_bytes(product: Product, release: Release, read: SqlReader) -> bytes:
    """The manifest of the chain from the product's baseline up to one release.

    A release without a database package has nothing to do there. A line for each release: json's
    encoder in C doesn't indent, and a chain of fifty releases holds more than a thousand of them.
    """
    lines = ",\n".join(
        json.dumps(_release_json(past, read), sort_keys=True, ensure_ascii=False)
        for past in product.history(release)
        if past.database.packaged
    )
    head = json.dumps({"format": 1, "product": product.name, "release": str(release.version)})
    return f'{head[:-1]}, "releases": [\n{lines}\n]}}\n'.encode()


def database_files(product: Product, release: Release, read: SqlReader) -> tuple[Entry, ...]:
    """The manifest, `release.json` and every SQL file of the chain."""
    root = f"/usr/share/{product.database_package}"
    steps = tuple(
        entry
        for past in product.history(release)
        for step in past.database.steps
        for entry in _step_files(step, past, root, read)
    )
    manifest = manifest_bytes(product, release, read)
    return (
        File(path=f"{root}/release.json", content=release_json(product, release)),
        File(path=f"{root}/manifest.json", content=manifest),
        *steps,
    )
