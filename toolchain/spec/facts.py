"""What a release says of itself to the other releases: version, schema, steps and windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from toolchain.matrix.chain import Link
from toolchain.model.change import Batch, Form, Phase, Script, Step
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window, schema_window, version_window
from toolchain.spec.document import Document
from toolchain.spec.located.node import Items, Path, Table, as_table
from toolchain.spec.problem import Place
from toolchain.spec.refactoring.declared import operation_of, refactoring_of

_PARTS: tuple[Path, ...] = (
    ("release",), ("date",), ("withdrawn",), ("schema",), ("server", "forms"), ("compatibility",),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStep:
    """A step, and where its spec names it."""

    step: Step
    path: Path
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedForm:
    """What a spec says that its server uses of a change, and where."""

    form: Form
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One release, as far as the chain is concerned, with the place of each fact.

    A window that the spec does not declare holds the release itself alone until it is derived.
    """

    file: str
    version: Version
    version_place: Place
    date: date
    date_place: Place
    withdrawn: str | None
    schema: int
    schema_place: Place
    packaged: bool
    steps: tuple[PlacedStep, ...]
    forms: Mapping[str, PlacedForm]
    schemas: Window[int]
    schemas_declared: bool
    schemas_place: Place
    peers: Window[Version]
    peers_place: Place
    servers: Window[Version]
    servers_declared: bool
    servers_place: Place

    @property
    def server(self) -> ServerHandshake:
        """What this release's server says of itself."""
        return ServerHandshake(version=self.version, schemas=self.schemas, peers=self.peers)

    @property
    def shard(self) -> ShardHandshake:
        """What a shard says of itself once all of this release's phases have run."""
        return ShardHandshake(schema=self.schema, servers=self.servers)

    @property
    def link(self) -> Link:
        """The release without its promises."""
        return Link(
            version=self.version,
            date=self.date,
            schema=self.schema,
            steps=tuple(placed.step for placed in self.steps),
            forms={change: placed.form for change, placed in self.forms.items()},
            withdrawn=self.withdrawn,
        )

    def placed(self, change: str, phase: Phase) -> PlacedStep | None:
        """This release's step of a change, with its place; None when it has none."""
        for placed in self.steps:
            if (placed.step.change, placed.step.phase) == (change, phase):
                return placed
        return None


def facts_of(document: Document) -> Facts | None:
    """The facts of a release whose parts about them are sound; None otherwise."""
    if not document.sound(*_PARTS):
        return None
    root = document.top
    windows = root.table("compatibility")
    server, database = windows.table("server"), windows.table("database")
    version, schema = Version.parse(root.text("release")), root.table("schema").number("version")
    return Facts(
        file=document.name,
        version=version,
        version_place=document.place(("release",)),
        date_place=document.place(("date",)),
        date=date.fromisoformat(root.text("date")),
        withdrawn=root.text("withdrawn") if root.has("withdrawn") else None,
        schema=schema,
        schema_place=document.place(("schema", "version")),
        packaged=root.table("schema").flag("package", default=True),
        steps=steps_of(document),
        forms=_forms(document),
        schemas=schema_window(server.text("schema", f">= {schema}")),
        schemas_declared=server.has("schema"),
        schemas_place=_window_place(document, "server", "schema"),
        peers=version_window(server.text("peers", ">= 0.0.0")),
        peers_place=_window_place(document, "server", "peers"),
        servers=version_window(database.text("servers", f">= {version}")),
        servers_declared=database.has("servers"),
        servers_place=_window_place(document, "database", "servers"),
    )


def _window_place(document: Document, side: str, key: str) -> Place:
    """Where a window stands; for one that does not, where the release is named."""
    path = ("compatibility", side, key)
    if document.section("compatibility").table(side).has(key):
        return document.place(path)
    return document.place(("release",))


def _forms(document: Document) -> dict[str, PlacedForm]:
    table = document.section("server").table("forms")
    return {
        change: PlacedForm(
            form=Form(table.text(change)), place=document.key_place(("server", "forms", change))
        )
        for change in table.nodes
    }


def steps_of(document: Document) -> tuple[PlacedStep, ...]:
    """The sound steps in the order in which they run: all of a phase, then the next phase."""
    steps = []
    for phase in Phase:
        entries = document.section("schema").nodes.get(phase.value)
        for at, entry in enumerate(entries.nodes if isinstance(entries, Items) else ()):
            path = ("schema", phase.value, at)
            if document.sound(path):
                step = _step(as_table(entry), phase)
                steps.append(PlacedStep(step=step, path=path, place=document.place(path)))
    return tuple(steps)


def _step(entry: Table, phase: Phase) -> Step:
    if not entry.has("sql"):
        return _unwritten(entry, phase)
    batch = entry.table("batch")
    return Step(
        change=entry.text("change"),
        phase=phase,
        sql=Script(name=entry.text("sql")),
        undo=Script(name=entry.text("undo")) if entry.has("undo") else None,
        transaction=entry.flag("transaction", default=True),
        batch=Batch(table=batch.text("table"), key=batch.text("key"))
        if entry.has("batch")
        else None,
        origin=entry.origin,
    )


def _unwritten(entry: Table, phase: Phase) -> Step:
    """A step whose SQL is generated once the whole chain is known."""
    operation = operation_of(entry)
    change = entry.text("change")
    return Step(
        change=change,
        phase=phase,
        sql=Script(name=f"{change}.{phase.value}", text=""),
        refactoring=refactoring_of(entry, operation) if operation else None,
        origin=entry.origin,
    )
