"""What a release says of itself to the other releases: version, schema, steps and windows."""

from dataclasses import dataclass

from toolchain.model.change import Batch, Phase, RawSql, Step
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window, schema_window, version_window
from toolchain.spec.document import Document
from toolchain.spec.located.node import Items, Path, Table, as_table
from toolchain.spec.problem import Place

_PARTS: tuple[Path, ...] = (("release",), ("schema",), ("compatibility",))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStep:
    """A step, and where its spec names it."""

    step: Step
    path: Path
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One release, as far as the chain is concerned, with the place of each fact."""

    file: str
    version: Version
    version_place: Place
    schema: int
    schema_place: Place
    steps: tuple[PlacedStep, ...]
    schemas: Window[int]
    schemas_place: Place
    peers: Window[Version]
    peers_place: Place
    servers: Window[Version]
    servers_place: Place

    @property
    def server(self) -> ServerHandshake:
        """What this release's server says of itself."""
        return ServerHandshake(version=self.version, schemas=self.schemas, peers=self.peers)

    @property
    def shard(self) -> ShardHandshake:
        """What a shard says of itself once all of this release's phases have run."""
        return ShardHandshake(schema=self.schema, servers=self.servers)


def facts_of(document: Document) -> Facts | None:
    """The facts of a release whose parts about them are sound; None otherwise."""
    if not document.sound(*_PARTS):
        return None
    root = document.top
    windows = root.table("compatibility")
    server, database = windows.table("server"), windows.table("database")
    has_peers = server.has("peers")
    return Facts(
        file=document.name,
        version=Version.parse(root.text("release")),
        version_place=document.place(("release",)),
        schema=root.table("schema").number("version"),
        schema_place=document.place(("schema", "version")),
        steps=steps_of(document),
        schemas=schema_window(server.text("schema")),
        schemas_place=document.place(("compatibility", "server", "schema")),
        peers=version_window(server.text("peers", ">= 0.0.0")),
        peers_place=document.place(("compatibility", "server", *(["peers"] if has_peers else []))),
        servers=version_window(database.text("servers")),
        servers_place=document.place(("compatibility", "database", "servers")),
    )


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
    batch = entry.table("batch")
    return Step(
        change=entry.text("change"),
        phase=phase,
        operation=RawSql(
            sql=entry.text("sql"),
            undo=entry.text("undo") if entry.has("undo") else None,
            transaction=entry.flag("transaction", default=True),
        ),
        batch=Batch(table=batch.text("table"), key=batch.text("key"))
        if entry.has("batch")
        else None,
        origin=entry.origin,
    )
