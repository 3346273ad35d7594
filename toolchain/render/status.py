"""A fleet's status as JSON."""

from typing import Any

from toolchain.plan.fleet_status.blocked import Blocked
from toolchain.plan.fleet_status.onward import Onward
from toolchain.plan.fleet_status.progress import Progress
from toolchain.plan.fleet_status.seen import Blocker, RunnerSeen
from toolchain.plan.fleet_status.servers import ServerStatus, VersionCount, by_version
from toolchain.plan.fleet_status.status import FleetStatus, ShardStatus
from toolchain.plan.handshake import window_json
from toolchain.render.quoting import shell_word


def status_json(status: FleetStatus) -> dict[str, Any]:
    """The whole status as plain values; ages and durations in seconds."""
    return {
        "product": status.product,
        "read_at": status.at.isoformat(timespec="seconds"),
        "every_shard_read": status.whole,
        "shards": [_shard(shard) for shard in status.shards],
        "versions": [_version(count) for count in by_version(status.servers)],
        "servers": [_server(server) for server in status.servers],
        "blocked": [_blocked(one) for one in status.blocked],
        "next": _onward(status.onward),
    }


def command_line(argv: tuple[str, ...]) -> str:
    """A command as one types it."""
    return " ".join(map(shell_word, argv))


def _shard(shard: ShardStatus) -> dict[str, Any]:
    ledger, under_way = shard.seen.ledger, shard.under_way
    if ledger is None:
        return {"name": shard.seen.name, "problem": shard.seen.problem}
    return {
        "name": shard.seen.name,
        "problem": shard.contradiction,
        "release": _text(ledger.ready),
        "contract_begun": _text(ledger.closed),
        "complete": shard.complete,
        "schema": ledger.handshake.schema,
        "accepts_servers": window_json(ledger.handshake.servers),
        "standby": ledger.standby,
        "under_way": None
        if under_way is None
        else {
            "release": str(under_way.release),
            "phase": under_way.phase.value,
            "steps_done": under_way.done,
            "steps": under_way.total,
        },
        "unfinished": [_progress(one) for one in shard.progress],
        "to_move": list(shard.to_move),
        "runner": None if ledger.runner is None else _runner(ledger.runner),
        "live_servers": sum(server.live for server in ledger.servers),
    }


def _progress(one: Progress) -> dict[str, Any]:
    return {
        "step": one.step,
        "release": str(one.release),
        "phase": one.phase.value,
        "undoing": one.undoing,
        "state": one.state.value,
        "rows": one.rows,
        "rows_estimated": one.total,
        "fraction": _rounded(one.fraction, 4),
        "rows_per_second": _rounded(one.rate),
        "seconds_left": _rounded(one.left),
    }


def _runner(runner: RunnerSeen) -> dict[str, Any]:
    return {
        "application": runner.application,
        "client": runner.client,
        "server_process": runner.pid,
        "seconds": _rounded(runner.age),
        "quiet_seconds": _rounded(runner.quiet),
        "waits_for": runner.waits_for,
        "blocked_by": [_session(one) for one in runner.blockers],
        "index_build": runner.index_build,
    }


def _session(one: Blocker) -> dict[str, Any]:
    return {
        "server_process": one.pid,
        "application": one.application,
        "user": one.user,
        "client": one.client,
        "state": one.state,
        "transaction_seconds": _rounded(one.age),
    }


def _version(count: VersionCount) -> dict[str, Any]:
    return {
        "version": str(count.version),
        "live": count.live,
        "expired": count.expired,
        "retired": count.retired,
        "seconds_since_seen": {
            "least": _rounded(count.youngest),
            "most": _rounded(count.oldest),
        },
        "misfits": count.misfits,
    }


def _server(server: ServerStatus) -> dict[str, Any]:
    return {
        "host": server.host,
        "instance": server.instance,
        "version": str(server.version),
        "life": server.life.value,
        "seconds_since_seen": _rounded(server.age),
        "seconds_until_expired": _rounded(server.left),
        "shards": list(server.shards),
        "misfits": list(server.misfits),
    }


def _blocked(one: Blocked) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "what": one.what,
        "shards": list(one.shards),
        "servers": [
            {
                "host": server.host,
                "instance": server.instance,
                "version": str(server.version),
                "seconds_since_seen": _rounded(server.age),
                "expired": not server.live,
            }
            for server in one.servers
        ],
        "older_servers": [str(version) for version in one.versions],
        "sessions": [_session(session) for session in one.sessions],
        "reason": one.reason or None,
    }


def _onward(onward: Onward) -> dict[str, Any]:
    wave = onward.wave
    return {
        "answer": onward.way.value,
        "target": _text(onward.target),
        "waves": onward.waves,
        "wave": None
        if wave is None
        else {
            "side": wave.side.value,
            "release": str(wave.release),
            "part": wave.part.value,
            "names": sorted(name for move in wave.moves for name in move.names),
            "no_return": wave.no_return,
        },
        "commands": [
            {
                "where": command.where,
                "argv": list(command.argv),
                "line": command_line(command.argv),
            }
            for command in onward.commands
        ],
        "reasons": list(onward.reasons),
    }


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
