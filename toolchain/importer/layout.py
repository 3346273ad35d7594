"""A package's files as the entries of a spec's `server` section, and the place of each source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from posixpath import basename

from toolchain.importer.archive import UNITS
from toolchain.importer.facts import Facts, Installed, Kind, Note
from toolchain.importer.pairing import stem_of
from toolchain.importer.units import UnfitUnitError, Unit, read_unit
from toolchain.spec.problem import Complaint
from toolchain.spec.values import targets
from toolchain.spec.values.paths import STATE, inside_product

_PROGRAMS = ("/usr/bin/", "/usr/sbin/")
_MERGED = ("/bin/", "/sbin/", "/lib/", "/lib64/")
_LOCAL = tuple(f"/usr/local/{place}/" for place in ("bin", "sbin", "lib", "libexec", "share"))
# Below these a directory named after the package is its own, with all that is in it.
_OWN = ("/usr/lib/", "/usr/libexec/", "/usr/share/", "/opt/")
_WRITTEN = ("copyright", "changelog", "NEWS.Debian")
_SETUID = 0o6000
_MOST = 5  # of the paths that one note names


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a list of `server`: a source, its target, and a service for a program."""

    source: str
    target: str
    mode: int | None = None
    group: str = "root"
    service: Unit | None = None


@dataclass(slots=True, kw_only=True)
class Layout:
    """The section; `sources` says where each path of the payload comes from.

    `owned` are the files by the owner that they had, where they become root's.
    """

    binaries: list[Entry] = field(default_factory=list)
    config: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    manuals: list[str] = field(default_factory=list)
    directories: list[Installed] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    owned: dict[str, list[str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def layout_of(facts: Facts) -> Layout:
    """Lay a package's files out; what a spec has no word for becomes a note."""
    layout = Layout()
    services, taken = _services(facts, layout)
    known = {_usr(path) for path in facts.units}
    plain = _once(facts, layout)
    stem = stem_of(facts.name)
    grouped: dict[str, None] = {}
    left: list[str] = []
    for each in plain:
        if each.path in taken:
            continue
        if (
            each.path.startswith(UNITS)
            and each.path.endswith(".service")
            and each.path not in known
        ):
            text = f"the unit {each.path} is not here to be read; write the service of its program"
            layout.notes.append(Note(text=text, where=facts.where, decide=True))
        top = _own_directory(each.path, stem)
        if each.kind in (Kind.LINK, Kind.SPECIAL):
            left.append(each.path)
        elif each.kind is Kind.DIRECTORY:
            if each.path.startswith(tuple(f"{place}/" for place in STATE if place != "/opt")):
                layout.directories.append(each)
        elif top is not None and each.kind is Kind.FILE:
            _source(layout, each)
            grouped[top] = None
        else:
            _single(layout, each, facts, services.get(each.path))
    for top in grouped:
        layout.files.append(Entry(source=top.lstrip("/"), target=top))
    if left:
        text = f"links, devices and ghosts were not taken: {_named(left)}"
        layout.notes.append(Note(text=text, where=facts.where, decide=True))
    for owner, paths in layout.owned.items():
        text = f"what belonged to {owner} is root's now: {_named(paths)}"
        layout.notes.append(Note(text=text, where=facts.where, decide=True))
    programs = {entry.target for entry in layout.binaries}
    for program, unit in services.items():
        if program not in programs:
            text = (
                f"the service {unit.name} starts {program}, which nothing of this package installs:"
                " list that program, or one that starts it, with this service"
            )
            layout.notes.append(Note(text=text, where=facts.where, decide=True))
    return layout


def _named(paths: Sequence[str]) -> str:
    """The first few of many paths, and how many more there are."""
    return ", ".join(paths[:_MOST]) + (f" and {len(paths) - _MOST} more" if paths[_MOST:] else "")


def _own_directory(path: str, stem: str) -> str | None:
    """The first directory above a file that is named after the product, or any below /opt."""
    if not path.startswith(_OWN) or path.startswith(("/usr/share/doc/", "/usr/share/man/")):
        return None
    parts = path.split("/")
    for depth in range(2 if parts[1] == "opt" else 3, len(parts) - 1):
        if parts[1] == "opt" or stem in parts[depth]:
            return "/".join(parts[: depth + 1])
    return None


def _once(facts: Facts, layout: Layout) -> list[Installed]:
    """What is installed, at the places of systems that merged /usr, and each place once."""
    places: dict[str, Installed] = {}
    moved = [each.path for each in facts.installed if each.path.startswith(_LOCAL)]
    if moved:
        text = f"below /usr, as /usr/local is the administrator's: {_named(moved)}"
        layout.notes.append(Note(text=text, where=facts.where, decide=True))
    for each in map(_modern, facts.installed):
        if places.setdefault(each.path, each) is not each and each.kind is not Kind.DIRECTORY:
            text = f"{each.path} is there twice; the first was taken"
            layout.notes.append(Note(text=text, where=facts.where, decide=True))
    return list(places.values())


def _services(facts: Facts, layout: Layout) -> tuple[dict[str, Unit], frozenset[str]]:
    """The services by their program, and the places of the units that say them."""
    services: dict[str, Unit] = {}
    taken: set[str] = set()
    for path, text in {_usr(path): text for path, text in sorted(facts.units.items())}.items():
        try:
            unit = read_unit(path, text)
            if _usr(unit.program) in services:
                raise UnfitUnitError(f"starts {unit.program} as another one does")
        except UnfitUnitError as error:
            why = f"the unit {path} {error}; it stays a file, which no package enables or starts"
            layout.notes.append(Note(text=why, where=facts.where, decide=True))
            continue
        services[_usr(unit.program)] = unit
        taken.add(path)
        if unit.left:
            missing = f"of the unit {path} a spec has no word for: {', '.join(unit.left)}"
            layout.notes.append(Note(text=missing, where=facts.where, decide=True))
    return services, frozenset(taken)


def _usr(path: str) -> str:
    """The path on systems whose /bin, /sbin and /lib are links into /usr.

    What packages installed below /usr/local goes below /usr: that one is the administrator's
    (Debian Policy 9.1.2).
    """
    if path.startswith(_LOCAL):
        return f"/usr/{path.removeprefix('/usr/local/')}"
    return f"/usr{path}" if path.startswith(_MERGED) else path


def _modern(each: Installed) -> Installed:
    """The same at its place today."""
    if each.path == _usr(each.path):
        return each
    return Installed(
        path=_usr(each.path),
        kind=each.kind,
        mode=each.mode,
        owner=each.owner,
        group=each.group,
        source=each.source or each.path,
    )


def _source(layout: Layout, each: Installed) -> str:
    """The path in the payload: that of the host, without the slash in front."""
    path = each.path.lstrip("/")
    try:
        inside_product(path)
    except Complaint as complaint:
        layout.notes.append(Note(text=complaint.message, decide=True))
        return ""
    layout.sources[path] = each.source or each.path
    return path


def _single(layout: Layout, each: Installed, facts: Facts, service: Unit | None) -> None:
    documents = f"/usr/share/doc/{facts.name}/"
    if each.path.startswith(documents):
        if not basename(each.path).startswith(_WRITTEN) and (source := _source(layout, each)):
            layout.documents.append(source)
        return
    if each.path.startswith("/usr/share/man/man") and each.path.count("/") == 5:
        if source := _source(layout, each):
            layout.manuals.append(source.removesuffix(".gz"))
        return
    config = each.kind is Kind.CONFIG or each.path.startswith("/etc/")
    program = each.path.startswith(_PROGRAMS) or service is not None
    check = targets.config if config else targets.program if program else targets.file
    try:
        check(each.path)
    except Complaint as complaint:
        text = f"{each.path} was not taken: {complaint.message}; {complaint.cure}"
        layout.notes.append(Note(text=text, where=facts.where, decide=True))
        return
    mode = each.mode
    if mode is not None and mode & _SETUID:
        text = f"{each.path} has the mode {mode:04o}; say so with 'mode' if it has to be"
        layout.notes.append(Note(text=text, where=facts.where, decide=True))
        mode = None
    if not (source := _source(layout, each)):
        return
    group = each.group if config else "root"
    if (each.owner, each.group) != ("root", group):
        layout.owned.setdefault(f"{each.owner}:{each.group}", []).append(each.path)
    kept = mode if mode not in (None, 0o644, 0o755) else None
    entry = Entry(source=source, target=each.path, mode=kept, group=group, service=service)
    (layout.config if config else layout.binaries if program else layout.files).append(entry)


def chosen_users(layouts: Sequence[Entry]) -> Iterator[str]:
    """The users that services run as, root apart, each once."""
    names = {entry.service.user for entry in layouts if entry.service is not None}
    yield from sorted(names - {"root"})
