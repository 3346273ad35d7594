"""A release's spec as text: its steps, its server, its windows, and comments that say why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from toolchain.importer.drafts import ReleaseDraft, StepDraft
from toolchain.importer.facts import Facts, Installed, Note
from toolchain.importer.layout import Entry, Layout, chosen_users
from toolchain.importer.pairing import Pair
from toolchain.importer.windows import Promise, Windows
from toolchain.importer.yaml_text import comment, flow, scalar
from toolchain.model.carried import Field
from toolchain.model.change import Phase
from toolchain.model.release import Format
from toolchain.spec.payload.directories import not_own
from toolchain.spec.problem import Complaint
from toolchain.spec.values import names, paths
from toolchain.spec.values.packages import deb_relation, rpm_relation

_CHECKS = {Format.DEB: deb_relation, Format.RPM: rpm_relation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one release's spec is made of; `by_hand` says where each maintainer script lies."""

    draft: ReleaseDraft
    day: date
    pair: Pair | None
    layout: Layout
    windows: Windows
    own: frozenset[str]
    product: str
    by_hand: Mapping[str, str]


def release_text(release: Written) -> tuple[str, tuple[Note, ...]]:
    """The text of a release's spec, and what was left to a person."""
    notes: list[Note] = []
    version = release.draft.version
    sources = dict.fromkeys(facts.where for facts in _packages(release.pair))
    text = "".join(comment(f"Taken from {where}.") for where in sources)
    text += f"release: {version}\ndate: {release.day.isoformat()}\n"
    text += f"changelog:\n  - {scalar(f'Release {version}, imported.')}\n"
    if release.layout.sources:
        text += comment("Every source under 'server' begins here; a path is that of the host.")
        text += f"payload: payload/{version}\n"
    text += f"schema:\n  version: {release.draft.schema}\n"
    for phase in Phase:
        steps = release.draft.of(phase)
        if steps:
            text += f"  {phase.value}:\n" + "".join(map(_step, steps))
    for step in release.draft.waiting:
        text += comment("To decide: the release after this one contracts what stands here.", "  ")
        text += "".join(f"  # {line}\n" for line in _step(step).splitlines())
    text += "server:\n" + _server(release, notes)
    text += _windows(release.windows)
    return text, tuple(notes)


def _packages(pair: Pair | None) -> tuple[Facts, ...]:
    return (*pair.servers, *pair.databases) if pair is not None else ()


def _step(step: StepDraft) -> str:
    text = "".join(comment(each, "    ") for each in step.comments)
    text += f"    - change: {step.change}\n"
    if step.operation:
        text += f"      {step.operation}\n"
    if step.file:
        text += f"      sql: {scalar(step.file)}\n"
    if step.undo:
        text += f"      undo: {scalar(step.undo)}\n"
    if not step.transaction:
        text += "      transaction: false\n"
    return text


def _server(release: Written, notes: list[Note]) -> str:
    layout = release.layout
    text = ""
    for name in sorted(release.by_hand):
        said = f"To decide: what {name} did; nothing runs it any more, and a spec says most of it."
        text += comment(said, "  ")
        notes.append(
            Note(
                text=f"move the maintainer script by hand: {release.by_hand[name]}",
                where=f"{release.draft.version}.yaml",
                decide=True,
            )
        )
    for note in layout.notes:
        if note.decide:
            text += comment(f"To decide: {note.text}.", "  ")
    if not layout.binaries:
        text += comment(
            "To decide: the programs, each with its service. A server has one or more.", "  "
        )
        text += "  binaries: []\n"
    else:
        text += "  binaries:\n" + "".join(map(_program, layout.binaries))
    users = [user for user in chosen_users(layout.binaries) if _is(names.user, user)]
    text += _entries("config", layout.config, users, notes)
    text += _entries("files", layout.files, users, notes)
    if users:
        text += comment("Users that the services run as.", "  ") + "  users:\n"
        for user in users:
            home = f"/var/lib/{user}"
            entry = {"name": user, "description": f"{user} services", "home": home}
            text += f"    - {flow(entry)}\n"
    text += _directories(layout.directories, users, release.product, notes)
    for key, values in (("documents", layout.documents), ("manuals", layout.manuals)):
        if values:
            text += f"  {key}:\n" + "".join(f"    - {scalar(each)}\n" for each in values)
    return text + _depends(release, notes)


def _program(entry: Entry) -> str:
    text = f"    - source: {scalar(entry.source)}\n      target: {scalar(entry.target)}\n"
    if entry.mode is not None:
        text += f'      mode: "{entry.mode:04o}"\n'
    unit = entry.service
    if unit is None:
        return text
    text += "      service:\n"
    text += f"        name: {scalar(unit.name)}\n        user: {scalar(unit.user)}\n"
    if unit.description:
        text += f"        description: {scalar(unit.description.rstrip(chr(92)))}\n"
    if unit.arguments:
        text += f"        arguments: [{', '.join(map(scalar, unit.arguments))}]\n"
    if after := [each for each in unit.after if _is(names.unit, each)]:
        text += f"        after: [{', '.join(map(scalar, after))}]\n"
    if environment := [pair for pair in unit.environment if _is(names.environment, pair[0])]:
        pairs = ", ".join(f"{scalar(name)}: {scalar(value)}" for name, value in environment)
        text += f"        environment: {{{pairs}}}\n"
    return text


def _entries(key: str, entries: Sequence[Entry], users: Sequence[str], notes: list[Note]) -> str:
    if not entries:
        return ""
    text = f"  {key}:\n"
    for entry in sorted(entries, key=lambda each: each.target):
        more = f', mode: "{entry.mode:04o}"' if entry.mode is not None else ""
        if _owner(entry.group, entry.target, users, notes) != "root":
            more += f", group: {scalar(entry.group)}"
        text += f"    - {{source: {scalar(entry.source)}, target: {scalar(entry.target)}{more}}}\n"
    return text


def _owner(name: str, path: str, users: Sequence[str], notes: list[Note]) -> str:
    """A user or group of the host, or root where the spec declares no such user."""
    if name == "root" or name in users:
        return name
    text = f"it belonged to {name}; declare that user, or it is root's"
    notes.append(Note(text=text, where=path, decide=True))
    return "root"


def _directories(
    found: Sequence[Installed], users: Sequence[str], product: str, notes: list[Note]
) -> str:
    text = ""
    for each in sorted(found, key=lambda each: each.path):
        try:
            paths.state(each.path)
        except Complaint:
            continue
        complaint = not_own(each.path, product, frozenset(users))
        if complaint is not None:
            notes.append(Note(text=f"{each.path} was not taken: {complaint.message}", decide=True))
            continue
        owner = _owner(each.owner, each.path, users, notes)
        group = _owner(each.group, each.path, users, notes)
        mode = (each.mode if each.mode is not None else 0o755) & 0o775
        text += (
            f"    - {{path: {scalar(each.path)}, owner: {scalar(owner)}, group: {scalar(group)},"
            f' mode: "{mode:04o}"}}\n'
        )
    return f"  directories:\n{text}" if text else ""


def _depends(release: Written, notes: list[Note]) -> str:
    text = ""
    for format_ in Format:
        facts = release.pair.server(format_) if release.pair is not None else None
        found = dict.fromkeys(_needed(facts, format_, release.own, notes)) if facts else {}
        if found:
            text += f"    {format_.value}: [{', '.join(map(scalar, found))}]\n"
    return f"  depends:\n{text}" if text else ""


def _needed(facts: Facts, format_: Format, own: frozenset[str], notes: list[Note]) -> Iterator[str]:
    for relation in facts.relations:
        first = relation.clauses[0]
        if not relation.field.demands or first.name in own or relation.field is Field.CONFLICTS:
            continue
        # What rpm finds by itself when it builds the package again.
        if format_ is Format.RPM and (first.name == "/bin/sh" or first.name.startswith("config(")):
            continue
        text = str(first)
        if not _is(_CHECKS[format_], text):
            notes.append(
                Note(
                    text=f"the dependency {relation} was not taken", where=facts.where, decide=True
                )
            )
            continue
        if len(relation.clauses) > 1:
            notes.append(
                Note(text=f"of '{relation}' the first was taken", where=facts.where, decide=True)
            )
        yield text


def _is(check: object, text: str) -> bool:
    assert callable(check)  # noqa: S101
    try:
        check(text)
    except Complaint:
        return False
    return True


def _windows(windows: Windows) -> str:
    if windows.schema is None and windows.servers is None:
        return ""
    text = "compatibility:\n"
    for side, key, promise in (
        ("server", "schema", windows.schema),
        ("database", "servers", windows.servers),
    ):
        if isinstance(promise, Promise):
            text += comment(f"From {promise.said}.", "  ")
            text += f"  {side}: {{{key}: {scalar(promise.window)}}}\n"
    return text
