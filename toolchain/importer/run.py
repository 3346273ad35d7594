"""The import: sources into drafts, drafts into files, and what check says of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from toolchain.edge.directory import Directory, NewFile, require_new, staged_directory, write_files
from toolchain.edge.process import Processes
from toolchain.importer.chain import draft_chain
from toolchain.importer.drafts import ChainDraft, ReleaseDraft
from toolchain.importer.facts import Facts, Note
from toolchain.importer.layout import Layout, layout_of
from toolchain.importer.names import product_named
from toolchain.importer.pairing import Pair, Pairs
from toolchain.importer.payload import Extraction
from toolchain.importer.product_text import product_text, targets_of
from toolchain.importer.release_text import Written, release_text
from toolchain.importer.scripts import own_scripts
from toolchain.importer.sources import Given, Progress, Read, read_sources
from toolchain.importer.stand_in import stand_in
from toolchain.importer.windows import Windows, windows_of
from toolchain.model.version import Version
from toolchain.spec.load import Checked, check_product
from toolchain.spec.shape.schema import SpecKind, schema_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The product as it was written, or would be: its releases, its files, and what check says."""

    product: str
    releases: tuple[ReleaseDraft, ...]
    files: tuple[str, ...]
    notes: tuple[Note, ...]
    checked: Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the product goes; `payload` copies the packages' files, `dry_run` keeps nothing."""

    directory: Path
    name: str | None = None
    payload: bool = False
    refactor: bool = False
    dry_run: bool = False


class _Shown(Directory):
    """A staged product whose files are named as they will be."""

    def __init__(self, staged: Path, target: Path) -> None:
        super().__init__(staged)
        self._target = target

    def shown(self, path: str) -> str:
        """The path as the user will type it."""
        return str(self._target / path)


def import_product(
    given: Given, target: Target, today: date, processes: Processes, progress: Progress
) -> Imported:
    """Read, write and check; raises UsageError, ToolError and OutputError, then leaving nothing."""
    require_new(target.directory)  # before there is work to lose
    read = read_sources(given, processes, progress)
    name = product_named(target.name or _name(read.pairs, target.directory))
    chain = draft_chain(read.versions, read.migrations, refactor=target.refactor)
    notes = [*read.notes, *chain.notes, *_dated(chain, read, today)]
    nothing, programs = Layout(), list[NewFile]()
    if read.pairs is None:
        nothing, program = stand_in(given.server or name)
        programs.append(program)
    layouts = {
        release.version: layout_of(main)
        if (main := _main(read.pairs, release.version))
        else nothing
        for release in chain.releases
    }
    notes.extend(note for layout in layouts.values() for note in layout.notes)
    files = dict(_texts(name, read, chain, layouts, today, notes))
    with staged_directory(target.directory, keep=not target.dry_run) as staged:
        specs = [NewFile(path=path, text=text) for path, text in files.items()]
        write_files(staged, [*specs, *programs])
        if target.payload:
            with undisturbed_payload(staged) as extraction:
                _extract(extraction, read.pairs, layouts, processes, progress)
        checked = check_product(_Shown(staged, target.directory), {})
    unique = dict.fromkeys(notes)
    return Imported(
        product=name,
        releases=tuple(chain.releases),
        files=tuple(sorted((*files, *(program.path for program in programs)))),
        notes=tuple(unique),
        checked=checked,
    )


@contextmanager
def undisturbed_payload(staged: Path) -> Iterator[Extraction]:
    """An extraction into the product's payload; an empty one leaves no directory."""
    payload = staged / "payload"
    payload.mkdir()
    yield Extraction(payload)
    if not any(payload.iterdir()):
        payload.rmdir()


def _name(pairs: Pairs | None, directory: Path) -> str:
    return pairs.stem if pairs is not None else directory.resolve().name


def _pair(pairs: Pairs | None, version: Version) -> Pair | None:
    found = pairs.releases if pairs is not None else ()
    return next((pair for pair in found if pair.version == version), None)


def _main(pairs: Pairs | None, version: Version) -> Facts | None:
    pair = _pair(pairs, version)
    return pair.main if pair is not None else None


def _dated(chain: ChainDraft, read: Read, today: date) -> list[Note]:
    """Give each release its day, and say where nobody knows it or it tells of a branch."""
    notes = []
    before = min(read.days.values(), default=today)
    for release in chain.releases:
        release.day = read.days.get(release.version)
        if release.day is None:
            release.day = before
            text = f"nobody says when {release.version} was released; {before} was taken"
            notes.append(Note(text=text, where=f"{release.version}.yaml", decide=True))
        elif release.day < before:
            text = f"released on {release.day}, before the one below it: a hotfix of a branch?"
            notes.append(Note(text=text, where=f"{release.version}.yaml", decide=True))
        before = max(before, release.day)
    return notes


def _texts(
    name: str,
    read: Read,
    chain: ChainDraft,
    layouts: Mapping[Version, Layout],
    today: date,
    notes: list[Note],
) -> Iterator[tuple[str, str]]:
    pairs = read.pairs
    kept = [pair for pair in pairs.releases if pair.version in read.versions] if pairs else []
    newest = [facts for pair in reversed(kept) for facts in pair.telling]
    targets, more = targets_of(newest)
    text, undecided = product_text(name, newest, targets, today.year)
    notes.extend((*more, *undecided))
    if pairs is not None:
        notes.extend(_renamed(name, pairs))
    yield "product.yaml", text
    for kind in SpecKind:
        yield f".interlock/{kind.value}.schema.json", schema_text(kind)
    schemas = {release.version: release.schema for release in chain.releases}
    for release in chain.releases:
        pair = _pair(pairs, release.version)
        scripts = own_scripts(pair)
        windows = Windows()
        own: frozenset[str] = frozenset()
        if pairs is not None and pair is not None:
            own = frozenset({pairs.server, pairs.database, f"{name}-server", f"{name}-database"})
            if pairs.database:
                windows = windows_of(pair, pairs.server, pairs.database, schemas)
        written = Written(
            draft=release,
            day=release.day or today,
            pair=pair,
            layout=layouts[release.version],
            windows=windows,
            own=own,
            product=name,
            by_hand={each: f"by-hand/{release.version}/{each}" for each in scripts},
        )
        yield from ((written.by_hand[each], text) for each, text in scripts.items())
        text, undecided = release_text(written)
        notes.extend((*windows.notes, *undecided))
        yield f"{release.version}.yaml", text
    yield from chain.files.items()


def _renamed(name: str, pairs: Pairs) -> Iterator[Note]:
    for old, new in ((pairs.server, f"{name}-server"), (pairs.database, f"{name}-database")):
        if old and old != new:
            text = f"the package {old} becomes {new}; customers remove the one to install the other"
            yield Note(text=text, where="product.yaml", decide=True)


def _extract(
    extraction: Extraction,
    pairs: Pairs | None,
    layouts: Mapping[Version, Layout],
    processes: Processes,
    progress: Progress,
) -> None:
    for at, (version, layout) in enumerate(layouts.items()):
        progress(at, len(layouts), f"payload of {version}")
        main = _main(pairs, version)
        if main is not None:
            sources = {f"{version}/{place}": path for place, path in layout.sources.items()}
            extraction.take(main, sources, processes)
