"""Compatibility windows out of the relations that packages had to each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolchain.importer.facts import Facts, Note
from toolchain.importer.pairing import Pair
from toolchain.importer.versions import release_named
from toolchain.model.carried import Carried, Field
from toolchain.model.relation import Operator
from toolchain.model.version import Version
from toolchain.model.window import Window

_REFUSES = frozenset({Field.CONFLICTS, Field.BREAKS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A window that relations give, with the relations themselves."""

    window: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What one release's packages said; None where they said nothing."""

    schema: Promise | None = None
    servers: Promise | None = None
    notes: tuple[Note, ...] = ()


def windows_of(pair: Pair, server: str, database: str, schemas: Mapping[Version, int]) -> Windows:
    """The windows of a pair; `schemas` holds the schema version of every release."""
    notes: list[Note] = []
    databases = _bounds(pair.servers, database, notes)
    servers = _bounds(pair.databases, server, notes)
    return Windows(
        schema=_schema_window(databases, pair.version, schemas),
        servers=_promise((servers.oldest, servers.below), servers.said, pair.version, notes),
        notes=tuple(notes),
    )


@dataclass(slots=True)
class _Bounds:
    """The narrowest of all bounds on the other side, and where they stand."""

    oldest: Version | None = None
    below: Version | None = None
    said: tuple[str, ...] = ()


def _bounds(packages: tuple[Facts, ...], other: str, notes: list[Note]) -> _Bounds:
    bounds = _Bounds()
    for facts in packages:
        for relation in facts.relations:
            for oldest, below in _read(relation, other, facts.where, notes):
                said = f"{facts.where}: {relation}"
                bounds.said = tuple(dict.fromkeys((*bounds.said, said)))
                if oldest is not None:
                    bounds.oldest = max(oldest, bounds.oldest or oldest)
                if below is not None:
                    bounds.below = min(below, bounds.below or below)
    return bounds


def _read(
    relation: Carried, other: str, where: str, notes: list[Note]
) -> Iterator[tuple[Version | None, Version | None]]:
    if not any(clause.name == other for clause in relation.clauses):
        return
    clause = relation.clauses[0]
    if len(relation.clauses) > 1 or clause.operator is None or clause.version is None:
        if relation.field in _REFUSES or relation.field.demands:
            text = f"'{relation}' says no window"
            notes.append(Note(text=text, where=where, decide=len(relation.clauses) > 1))
        return
    version = release_named(clause.version)
    if version is None:
        notes.append(
            Note(text=f"'{relation}' names no release; not taken", where=where, decide=True)
        )
        return
    if relation.field in _REFUSES:
        match clause.operator:
            case Operator.EARLIER:
                yield version, None
            case Operator.EARLIER_OR_EQUAL:
                yield _after(version), None
            case Operator.LATER_OR_EQUAL:
                yield None, version
            case Operator.LATER:
                yield None, _after(version)
            case Operator.EQUAL:
                text = f"'{relation}' leaves one release out, which no window can"
                notes.append(Note(text=text, where=where, decide=True))
    elif relation.field.demands:
        match clause.operator:
            case Operator.LATER_OR_EQUAL:
                yield version, None
            case Operator.LATER:
                yield _after(version), None
            case Operator.EARLIER:
                yield None, version
            case Operator.EARLIER_OR_EQUAL:
                yield None, _after(version)
            case Operator.EQUAL:
                yield version, _after(version)


def _after(version: Version) -> Version:
    return Version(version.major, version.minor, version.patch + 1)


def _promise(
    bounds: tuple[Version | int | None, Version | int | None],
    said: tuple[str, ...],
    own: Version | int,
    notes: list[Note],
) -> Promise | None:
    oldest, below = bounds
    if oldest is None and below is None:
        return None
    begins = oldest if oldest is not None else own
    try:
        window = Window(begins, below)
    except (ValueError, TypeError):
        notes.append(Note(text=f"contradict each other: {'; '.join(said)}", decide=True))
        return None
    return Promise(window=str(window), said="; ".join(said))


def _schema_window(bounds: _Bounds, own: Version, schemas: Mapping[Version, int]) -> Promise | None:
    """Package versions as schema versions, by the releases that there are."""
    if bounds.oldest is None and bounds.below is None:
        return None
    oldest = _schema_at(bounds.oldest or own, own, schemas)
    below = None
    if bounds.below is not None:
        under = [schema for version, schema in schemas.items() if version < bounds.below]
        reached = [schema for version, schema in schemas.items() if version >= bounds.below]
        if reached and under and min(reached) > max(under):
            below = min(reached)
    return _promise((oldest, below), bounds.said, schemas[own], [])


def _schema_at(version: Version, own: Version, schemas: Mapping[Version, int]) -> int:
    """The oldest schema of a release that was accepted; a promise may shrink here, never grow."""
    reached = [schema for known, schema in schemas.items() if known >= version]
    return min(reached, default=schemas[own])
