"""A plan, or the reason why there is none, as JSON."""

from collections.abc import Sequence
from typing import Any

from toolchain.model.origin import Origin
from toolchain.model.release import Product
from toolchain.plan.handshake import window_json
from toolchain.plan.rollout.telling.beside import Clash
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.reasons import Refusal
from toolchain.plan.rollout.telling.standing import Unfit
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave
from toolchain.plan.rollout.world.inventory import Fleet, Side
from toolchain.plan.rollout.world.shard import Stage

# What the database package's `apply` is told for each kind of wave.
PHASES = {Part.WHOLE: "contract", Part.PREPARE: "migrate", Part.CONTRACT: "contract"}


def before_servers(product: Product) -> tuple[str, ...]:
    """What each host of a wave of servers runs before its package is upgraded, if anything.

    It hears of shards that moved by a timer; asked at once, its solver lets the server in at once.
    """
    agents = any(release.server.services for release in product.releases)
    return (product.server_package, "sync") if agents else ()


def answer_json(
    product: str,
    target: str,
    fleet: Fleet,
    answer: Plan | Exclusion | tuple[Unfit, ...],
    *,
    before_servers: Sequence[str] = (),
) -> dict[str, Any]:
    """The whole answer as plain values; `result` tells which of the three it is."""
    whole = {"product": product, "target": target, "fleet": fleet_json(fleet)}
    if isinstance(answer, Plan):
        crossing = answer.point_of_no_return
        return {
            **whole,
            "result": "plan",
            "rollout": answer.policy.value,
            "database": None if answer.database is None else str(answer.database),
            "waves": [_wave_json(wave, before_servers) for wave in answer.waves],
            "point_of_no_return": None if crossing is None else crossing.number,
        }
    if isinstance(answer, Exclusion):
        repair = answer.repair
        return {
            **whole,
            "result": "no way",
            "furthest": {
                "servers": None if answer.servers is None else str(answer.servers),
                "shards": list(answer.shards),
            },
            "exclusion": [
                {"side": side.value, **_refusal_json(refusal)} for side, refusal in answer.refusals
            ],
            "repair": None
            if repair is None
            else {
                "release": str(repair.release),
                "what": repair.sentence,
                "reaches": str(repair.reaches),
                "waves": repair.waves,
            },
        }
    return {**whole, "result": "not legal", "unfit": _unfit_json(answer)}


def clash_json(clash: Clash) -> dict[str, Any]:
    """A host on which the package manager refuses a wave."""
    return {
        "wave": clash.wave,
        "side": clash.side.value,
        "host": clash.host,
        "server": str(clash.server),
        "database": str(clash.database),
        "sentence": clash.sentence,
    }


def fleet_json(fleet: Fleet) -> dict[str, Any]:
    """Where every host and every shard stands."""
    return {
        "servers": [
            {
                "host": server.host,
                "version": str(server.version),
                "origin": _origin(server.origin),
            }
            for server in fleet.servers
        ],
        "shards": [
            {
                "name": shard.name,
                "host": shard.host or shard.name,
                "release": str(shard.state.release),
                "contracted": shard.state.stage is Stage.CLOSED,
                "schema": shard.state.handshake.schema,
                "servers": window_json(shard.state.handshake.servers),
                "origin": _origin(shard.origin),
            }
            for shard in fleet.shards
        ],
    }


def _wave_json(wave: Wave, before_servers: Sequence[str]) -> dict[str, Any]:
    return {
        "wave": wave.number,
        "side": wave.side.value,
        "release": str(wave.release),
        "part": wave.part.value if wave.side is Side.SHARDS else None,
        "apply_phase": PHASES[wave.part] if wave.side is Side.SHARDS else None,
        "run_before": list(before_servers) if wave.side is Side.SERVERS else [],
        "moves": [
            {"from": move.before, "to": move.after, "names": list(move.names)}
            for move in wave.moves
        ],
        "count": wave.count,
        "final": [str(version) for version in wave.contracts],
        "no_return": wave.no_return,
        "stop_before": None if wave.next is None else str(wave.next),
        "reasons": [_refusal_json(refusal) for refusal in wave.reasons],
    }


def _refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {
        "fact": refusal.bar.value,
        "release": str(refusal.release),
        "against": str(refusal.server),
        "sentence": refusal.sentence,
        "origin": _origin(refusal.origin),
    }


def _unfit_json(unfit: Sequence[Unfit]) -> list[dict[str, Any]]:
    return [
        {
            "version": str(pair.version),
            "hosts": list(pair.hosts),
            "others": list(pair.others),
            "with": "servers" if pair.peers else "shards",
            "nearest": None if pair.nearest is None else str(pair.nearest),
            **_refusal_json(pair.refusal),
        }
        for pair in unfit
    ]


def _origin(origin: Origin | None) -> str | None:
    return None if origin is None else str(origin)
