"""Reading the manifest: strict, checksums included, before any shard is touched."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..core.document import Value, read_document
from ..core.version import version_key
from ..core.written import PRODUCT, read_version, read_versions
from .indexes import concurrent_index
from .manifest import Batch, Manifest, Phase, Release, Script, Step

FORMAT = 1

_STEP = r"[a-z0-9][a-z0-9._-]{0,200}"
_IDENTIFIER = r"[^\x00-\x1f.]{1,63}"


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest; raises ConfigurationError with one sentence."""
    document = read_document(path, "manifest")
    if isinstance(document.raw, dict) and document.raw.get("format") != FORMAT:
        raise document.error(f"its format is not {FORMAT}, the one that this runner reads")
    _, product, release, releases = document.fields("format", "product", "release", "releases")
    manifest = Manifest(
        product=product.text(PRODUCT),
        release=read_version(release),
        releases=tuple(_release(item, path.parent) for item in releases.items()),
    )
    _check_order(manifest, releases)
    _check_ids(manifest, releases)
    return manifest


def _check_order(manifest: Manifest, place: Value) -> None:
    if not manifest.releases:
        raise place.error("there is no release")
    oldest = manifest.baseline.servers.oldest
    for release in manifest.releases:
        oldest = max(oldest, release.servers.oldest, key=version_key)
        below = release.servers.below
        if below is not None and version_key(below) <= version_key(oldest):
            raise place.error(f"{release.version} accepts no server that an earlier release left")
    for earlier, later in zip(manifest.releases, manifest.releases[1:]):
        if version_key(earlier.version) >= version_key(later.version):
            raise place.error(f"{later.version} stands after {earlier.version}")
        if earlier.schema > later.schema:
            raise place.error(f"the schema of {later.version} goes back to {later.schema}")
    if manifest.releases[-1].version != manifest.release:
        raise place.error(f"the last release is not {manifest.release}, the package's own")


def _check_ids(manifest: Manifest, place: Value) -> None:
    seen: set[str] = set()
    for step in manifest.steps:
        if step.id in seen:
            raise place.error(f"the step {step.id} stands there twice")
        seen.add(step.id)


def _release(value: Value, folder: Path) -> Release:
    version, schema, servers, steps = value.fields("release", "schema", "servers", "steps")
    read = [_step(item, folder, version.text()) for item in steps.items()]
    ranks = [step.phase.rank for step in read]
    if ranks != sorted(ranks):
        raise steps.error("the steps do not stand in the order expand, migrate, contract")
    return Release(
        version=read_version(version),
        schema=schema.whole(),
        servers=read_versions(servers),
        steps=tuple(sorted(read, key=lambda step: step.place)),
    )


def _step(value: Value, folder: Path, release: str) -> Step:
    ident, change, phase, transaction, sql, sha256, undo, batch, statements, readies = value.fields(
        "id", "change", "phase", "transaction", "sql", "sha256", "undo", "batch",
        optional=("statements", "readies"),
    )  # fmt: skip
    step = Step(
        id=ident.text(_STEP),
        change=change.text(_STEP),
        phase=Phase(phase.text("expand|migrate|contract")),
        transaction=transaction.boolean(),
        script=_script(sql, sha256, folder),
        statements=None if statements.absent else _statements(statements),
        undo=None if undo.absent else _undo(undo, folder),
        batch=None if batch.absent else _batch(batch),
        release=release,
        readies=readies.absent or readies.boolean(),
    )
    if not step.readies and step.phase is not Phase.MIGRATE:
        raise readies.error("the schema waits for every step but a migrate one")
    if step.batch is not None and (step.phase is not Phase.MIGRATE or not step.transaction):
        raise batch.error("only a migrate step in transactions has batches")
    if not step.transaction:
        _check_standalone(step, value)
    return step


def _check_standalone(step: Step, place: Value) -> None:
    """One statement each way; an index made concurrently must be found again after a crash."""
    if len(step.sql) != 1:
        raise place.error("a step outside transactions has exactly one statement")
    for text in step.sql + (() if step.undo is None else (step.undo.text,)):
        index = concurrent_index(text)
        if index is not None and index.name is None:
            raise place.error("an index that is created concurrently needs a name of its own")


def _script(path: Value, sha256: Value, folder: Path) -> Script:
    relative = path.text(r"[^\\\n\r]+")
    expected = sha256.text("[0-9a-f]{64}")
    parts = relative.split("/")
    if relative.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        raise path.error(f"{relative!r} leads out of the package")
    try:
        content = folder.joinpath(*parts).read_bytes()
    except OSError as error:
        raise path.error(f"cannot read {relative}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise path.error(f"{relative} is not the file that the package was built with")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise path.error(f"{relative} is not UTF-8") from error
    if "\0" in text:
        raise path.error(f"{relative} holds a NUL character")
    return Script(relative, expected, text)


def _undo(value: Value, folder: Path) -> Script:
    sql, sha256 = value.fields("sql", "sha256")
    return _script(sql, sha256, folder)


def _statements(value: Value) -> tuple[str, ...]:
    texts = tuple(item.text() for item in value.items())
    if not texts:
        raise value.error("there is no statement")
    return texts


def _batch(value: Value) -> Batch:
    table, key, statements, begin, finish = value.fields(
        "table", "key", "statements", optional=("begin", "finish")
    )
    return Batch(
        table=table.text(rf"(?:{_IDENTIFIER}\.)?{_IDENTIFIER}"),
        key=key.text(r"[^\x00-\x1f]{1,63}"),
        statements=_statements(statements),
        begin=_once(begin),
        finish=_once(finish),
    )


def _once(value: Value) -> tuple[str, ...]:
    return () if value.absent else tuple(item.text() for item in value.items())
