"""A shard walked by the runner itself, stopped after each of its actions.

The runner is stopped as an operator would stop it, and goes on where it was: what is measured is
what a database package does, the resuming included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolchain.errors import ToolError
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window

if TYPE_CHECKING:
    from toolchain.runner.core.law import Handshake
    from toolchain.runner.core.session import Session
    from toolchain.runner.ledger.actions import Forward
    from toolchain.runner.ledger.manifest import Manifest
    from toolchain.runner.phases.activity import Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """What the runner has just done, and what the shard says of itself since then.

    `changes` is False for an action that only moves the handshake; `ends` says that nothing is
    left to do.
    """

    action: str
    changes: bool
    ends: bool
    shard: ShardHandshake


class StepError(Exception):
    """The walk could not go on; the sentence is the runner's own where it was the runner."""


def require_runner() -> None:
    """Raise ToolError where the runner's driver is not installed."""
    try:
        import psycopg2  # noqa: F401, PLC0415
    except ImportError as error:
        raise ToolError(
            "psycopg2, by which the runner speaks to PostgreSQL, is not installed",
            "install it beside Interlock: pip install psycopg2-binary",
        ) from error


def walk(manifest_path: Path, parameters: Mapping[str, str]) -> Iterator[Halt]:
    """Bring a database to the end of a manifest, action by action; nobody is connected meanwhile.

    Raises StepError.
    """
    from toolchain.runner.core.errors import RunnerError  # noqa: PLC0415
    from toolchain.runner.ledger.manifest_file import read_manifest  # noqa: PLC0415

    try:
        manifest = read_manifest(manifest_path)
        while True:
            halt, done = _go(manifest, parameters, stopping=True)
            if halt is not None:
                yield halt
            if done:
                return
    except RunnerError as error:
        raise StepError(str(error)) from error


def run_through(manifest_path: Path, parameters: Mapping[str, str]) -> None:
    """Bring a database to the end of a manifest in one run, as a fresh install does.

    Raises StepError.
    """
    from toolchain.runner.core.errors import RunnerError  # noqa: PLC0415
    from toolchain.runner.ledger.manifest_file import read_manifest  # noqa: PLC0415

    try:
        _go(read_manifest(manifest_path), parameters, stopping=False)
    except RunnerError as error:
        raise StepError(str(error)) from error


class _Silent:
    """A run that nobody listens to."""

    def say(self, text: str) -> None:
        """Nothing."""

    def show(self, activity: "Activity") -> None:
        """Nothing."""


def _go(
    manifest: "Manifest", parameters: Mapping[str, str], *, stopping: bool
) -> tuple[Halt | None, bool]:
    """One run: to the end, or to the end of its first action; whether all is done now."""
    import psycopg2  # noqa: PLC0415

    from toolchain.runner.core.config import Shard  # noqa: PLC0415
    from toolchain.runner.core.errors import Interrupted, LedgerConflict  # noqa: PLC0415
    from toolchain.runner.core.options import Settings  # noqa: PLC0415
    from toolchain.runner.core.stop import Stop  # noqa: PLC0415
    from toolchain.runner.database.apply import apply  # noqa: PLC0415
    from toolchain.runner.database.attend import attend  # noqa: PLC0415
    from toolchain.runner.ledger import walk as order  # noqa: PLC0415
    from toolchain.runner.ledger.actions import Position, RunStep  # noqa: PLC0415
    from toolchain.runner.ledger.manifest import Phase  # noqa: PLC0415
    from toolchain.runner.ledger.records import author_of, read_ledger  # noqa: PLC0415
    from toolchain.runner.ledger.state import known_ledger  # noqa: PLC0415
    from toolchain.runner.phases.run import Run  # noqa: PLC0415

    class OneAction(Run):
        """A run that asks itself to stop when an action is committed."""

        def did(self, what: str) -> None:
            """Note it, and let it be the last one."""
            super().did(what)
            if stopping:
                self.stop.ask()

    settings = Settings(
        replication_lag_limit=None,
        replication_bytes_limit=None,
        connection_reserve=0,
        lock_patience=10,
        reconnect_patience=5,
        roll_call=None,
    )
    shard = Shard(name="rehearsal", parameters=dict(parameters), settings=settings)
    run = OneAction(
        manifest=manifest,
        author=author_of(manifest),
        settings=settings,
        stop=Stop(),
        teller=_Silent(),
        connect=psycopg2.connect,
        application="interlock",
    )
    target = Position(manifest.index(manifest.release), Phase.CONTRACT)

    def work(session: "Session") -> tuple[Halt | None, bool]:
        ledger = known_ledger(session, manifest) or order.fresh(manifest)
        actions = order.forward(manifest, ledger, target)
        done = True
        try:
            apply(session, run, target, create=False)
        except Interrupted:
            done = False
        reached = read_ledger(session, manifest.product)
        if reached is None:
            raise LedgerConflict("the ledger does not keep what is written to it")
        if not actions:
            return None, done
        halt = Halt(
            action=_spell(actions[0]),
            changes=isinstance(actions[0], RunStep),
            ends=done,
            shard=_shard(reached.handshake),
        )
        return halt, done

    return attend(shard, run, 0.0, work)


def _spell(action: "Forward") -> str:
    from toolchain.runner.ledger.actions import Close, MakeReady, RunStep  # noqa: PLC0415

    match action:
        case RunStep(step=step):
            return step.id
        case MakeReady():
            return "ready"
        case Close():
            return "gate"


def _shard(handshake: "Handshake") -> ShardHandshake:
    oldest, below = handshake.servers.oldest, handshake.servers.below
    servers = Window(Version.parse(oldest), Version.parse(below) if below else None)
    return ShardHandshake(schema=handshake.schema, servers=servers)
