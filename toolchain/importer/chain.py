"""The releases to write: each one's steps with their files, and why each statement stands there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolchain.importer.drafts import ChainDraft, ReleaseDraft, StepDraft
from toolchain.importer.facts import Note
from toolchain.importer.migrations.migration import Migration
from toolchain.importer.names import change_named
from toolchain.importer.phases import Judge, Judged
from toolchain.importer.proposals import Proposal, proposed
from toolchain.importer.roles import Roles
from toolchain.importer.statements import Parts, parts_of
from toolchain.model.change import Phase
from toolchain.model.version import Version
from toolchain.spec.problem import Problem
from toolchain.spec.sql.parser import refused_in_transaction

# What a comment lists of one step; a schema of a hundred tables needs no hundred lines.
_MOST_REASONS = 12


def draft_chain(
    versions: Sequence[Version],
    migrations: Mapping[Version, Sequence[Migration]],
    *,
    refactor: bool,
) -> ChainDraft:
    """Lay the migrations out over the releases, which stand in order.

    With `refactor` a refactoring takes the place of SQL where one is plain and leaves nothing open.
    """
    return _Drafting(refactor).draft(versions, migrations)


class _Drafting:
    """The walk from release to release."""

    def __init__(self, refactor: bool) -> None:
        self._refactor = refactor
        self._judge = Judge()
        self._chain = ChainDraft()
        self._taken: set[str] = set()
        self._waiting: list[StepDraft] = []
        self._first = True
        self._marked: dict[str, str] = {}
        self._roles = Roles()

    def draft(
        self, versions: Sequence[Version], migrations: Mapping[Version, Sequence[Migration]]
    ) -> ChainDraft:
        schema = 0
        for version in versions:
            own = migrations.get(version, ())
            schema += bool(own or self._waiting or self._first)
            release = ReleaseDraft(version=version, schema=schema)
            release.steps.extend(self._waiting)
            self._waiting, self._marked = [], {}
            for migration in own:
                self._add(migration, release)
            self._chain.releases.append(release)
            self._judge.begin_release()
            self._first = False
        if self._chain.releases:
            self._chain.releases[-1].waiting = self._waiting
        for step in self._waiting:
            self._note(
                f"the contract of {step.change} waits for the release after the newest one",
                step.file,
            )
        self._chain.notes.extend(self._roles.notes())
        return self._renumbered()

    def _renumbered(self) -> ChainDraft:
        """A release whose migrations all did nothing keeps the schema of the one before."""
        schema = 1
        for at, release in enumerate(self._chain.releases):
            schema += bool(release.steps and at > 0)
            release.schema = schema
        return self._chain

    def _note(self, text: str, where: str, *, decide: bool = True) -> None:
        self._chain.notes.append(Note(text=text, where=where, decide=decide))

    def _add(self, migration: Migration, release: ReleaseDraft) -> None:
        if migration.hand:
            change = change_named(migration.title, self._taken)
            self._whole(migration, release, change, f"-- {migration.hand}\n", (migration.hand,))
            self._note(migration.hand, migration.where)
            return
        parts = parts_of(migration.where, migration.sql)
        if isinstance(parts, Problem):
            change = change_named(migration.title, self._taken)
            why = f"PostgreSQL's parser stops at {parts.origin}: {parts.message}"
            self._whole(migration, release, change, migration.sql, (why,))
            self._note(f"{parts.message}; {parts.cure}", str(parts.origin))
            return
        if parts.left_out:
            left = ", ".join(parts.left_out[:5])
            self._note(f"left out, as the runner does this: {left}", migration.where, decide=False)
        if all(piece.setting for piece in parts.pieces):
            self._note("it does nothing; not taken", migration.where, decide=False)
            return
        self._roles.read(parts.pieces, migration.where)
        judged = self._judge.judge(parts.pieces)
        if migration.phase is not None:
            judged = tuple(replace(each, phase=migration.phase) for each in judged)
        self._place(migration, release, judged, parts)

    def _whole(
        self,
        migration: Migration,
        release: ReleaseDraft,
        change: str,
        text: str,
        comments: tuple[str, ...],
    ) -> None:
        file = self._file(release, change, "", text)
        said = (f"from {migration.where}", *comments)
        release.steps.append(StepDraft(change=change, phase=Phase.EXPAND, file=file, comments=said))

    def _place(
        self, migration: Migration, release: ReleaseDraft, judged: Sequence[Judged], parts: Parts
    ) -> None:
        plain: list[Judged] = []
        apart = 0
        # What takes away belongs to what the same migration adds, where it adds something.
        adds = any(each.phase is Phase.EXPAND and not each.breaks for each in judged)
        for each in judged:
            belongs = each.phase is Phase.CONTRACT and adds
            proposal = None if self._first or belongs else self._proposed(each)
            if proposal is not None and self._refactor and not proposal.open:
                self._declare(migration, release, each, proposal)
                apart += 1
            elif refused_in_transaction(each.piece.statement) is not None:
                self._alone(migration, release, each)
                apart += 1
            else:
                plain.append(each)
        settings = [each for each in plain if each.piece.setting]
        plain = [each for each in plain if not each.piece.setting]
        if not plain:
            return
        change = self._change(migration)
        by_phase = {phase: [each for each in plain if each.phase is phase] for phase in Phase}
        if migration.phase is None and not by_phase[Phase.EXPAND]:
            # A life begins with an expand: what only takes away or writes has none to belong to.
            plain = [replace(each, phase=Phase.EXPAND) for each in plain]
            by_phase = {Phase.EXPAND: plain, Phase.MIGRATE: [], Phase.CONTRACT: []}
        used = [phase for phase, each in by_phase.items() if each]
        if len(used) > 1:
            names = ", ".join(phase.value for phase in used)
            text = f"it mixes {names}, and was taken apart"
            if Phase.CONTRACT in used:
                text += (
                    "; until the contract only a trigger keeps both forms equal, or a refactoring"
                    " in its place, such as split_table or change_columns"
                )
            self._note(text, migration.where)
        whole = len(used) == 1 and not apart and parts.text
        for phase in used:
            own = sorted((*settings, *by_phase[phase]), key=lambda each: each.piece.statement.index)
            text = parts.text if whole else "".join(each.piece.text for each in own)
            suffix = "" if phase is Phase.EXPAND else f".{phase.value}"
            undo = ""
            if phase is Phase.EXPAND and migration.undo is not None:
                undo = self._undo(migration, release, change, alone=len(used) == 1 and not apart)
            step = StepDraft(
                change=change,
                phase=phase,
                file=self._file(release, change, suffix, text),
                undo=undo,
                comments=self._said(migration, by_phase[phase]),
            )
            (self._waiting if phase is Phase.CONTRACT else release.steps).append(step)

    def _change(self, migration: Migration) -> str:
        """The change's name; what is marked pre and post of one title is one change."""
        if migration.phase is None:
            return change_named(migration.title, self._taken)
        if migration.phase is Phase.CONTRACT and migration.title in self._marked:
            return self._marked[migration.title]
        name = change_named(migration.title, self._taken)
        self._marked[migration.title] = name
        return name

    def _said(self, migration: Migration, judged: Sequence[Judged]) -> tuple[str, ...]:
        if migration.phase is not None:
            return (f"from {migration.where}, whose name says which phase it is",)
        if self._first and all(each.phase is Phase.EXPAND for each in judged):
            return (f"from {migration.where}: all expand, as no release comes before this one",)
        said = [f"from {migration.where}"]
        for each in judged[:_MOST_REASONS]:
            said.append(f"line {each.piece.line}: {each.phase.value}: {each.reason}")
            belongs = each.phase is Phase.CONTRACT  # and so has an expand
            proposal = None if belongs else self._proposed(each)
            if proposal is not None:
                said.extend(_words(proposal))
                self._note(
                    f"instead of this SQL, Interlock can keep both forms: {proposal.text}",
                    f"{migration.where}:{each.piece.line}",
                )
            elif each.breaks:
                self._note(each.reason, f"{migration.where}:{each.piece.line}")
        if len(judged) > _MOST_REASONS:
            said.append(f"and {len(judged) - _MOST_REASONS} more statements of the same phase")
        return tuple(said)

    def _proposed(self, each: Judged) -> Proposal | None:
        """A refactoring for a statement about what earlier releases have made."""
        relation = each.piece.statement.tree.get("relation", {}).get("relname")
        if any(known.name == relation for known in self._judge.fresh.relations):
            return None
        return proposed(each.piece.statement)

    def _declare(
        self, migration: Migration, release: ReleaseDraft, each: Judged, proposal: Proposal
    ) -> None:
        change = change_named(migration.title, self._taken)
        said = f"from {migration.where}:{each.piece.line}, in place of its SQL: {each.reason}"
        step = StepDraft(
            change=change, phase=Phase.EXPAND, operation=proposal.text, comments=(said,)
        )
        release.steps.append(step)
        if Phase.MIGRATE in proposal.later:
            release.steps.append(StepDraft(change=change, phase=Phase.MIGRATE))
        if Phase.CONTRACT in proposal.later:
            self._waiting.append(StepDraft(change=change, phase=Phase.CONTRACT))

    def _alone(self, migration: Migration, release: ReleaseDraft, each: Judged) -> None:
        change = change_named(migration.title, self._taken)
        name = refused_in_transaction(each.piece.statement)
        release.steps.append(
            StepDraft(
                change=change,
                phase=Phase.EXPAND,
                file=self._file(release, change, "", each.piece.text),
                transaction=False,
                comments=(
                    f"from {migration.where}",
                    f"line {each.piece.line}: {name} runs in no transaction, so it stands alone",
                ),
            )
        )

    def _undo(
        self, migration: Migration, release: ReleaseDraft, change: str, *, alone: bool
    ) -> str:
        if not alone:
            self._note(
                "its undo takes back all phases at once; write one for the expand", migration.where
            )
            return ""
        parts = parts_of(migration.where, migration.undo or "")
        if isinstance(parts, Problem):
            self._note(f"its undo was not taken: {parts.message}", migration.where)
            return ""
        text = parts.text or "".join(piece.text for piece in parts.pieces)
        return self._file(release, change, ".undo", text) if parts.pieces else ""

    def _file(self, release: ReleaseDraft, change: str, suffix: str, text: str) -> str:
        path = f"sql/{release.version}-{change}{suffix}.sql"
        self._chain.files[path] = text
        return path


def _words(proposal: Proposal) -> tuple[str, ...]:
    """The comment that proposes a refactoring, ready to be copied."""
    said = [f"  instead, without this SQL: - {{change: NAME, {proposal.text}}}"]
    if Phase.MIGRATE in proposal.later:
        said.append("  and in the same release under migrate: - {change: NAME}")
    if Phase.CONTRACT in proposal.later:
        said.append("  and in the next release under contract: - {change: NAME}")
    if proposal.open:
        said.append(f"  still to be said: {proposal.open}")
    return tuple(re.sub(r"[\r\n]+", " ", text) for text in said)
