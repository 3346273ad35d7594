"""What a rehearsal measured, as JSON."""

from typing import Any

from toolchain.matrix.measured import sentences
from toolchain.matrix.measured.differences import Differences
from toolchain.matrix.measured.values import Cell, Exchange, Failure, Measured, State
from toolchain.matrix.measured.verdict import verdict
from toolchain.plan.handshake import window_json


def rehearsal_json(product: str, measured: Measured, found: Differences) -> dict[str, Any]:
    """The whole measurement as plain values: every state, every pair, every difference."""
    places = {id(state): at for at, state in enumerate(measured.states)}
    return {
        "product": product,
        "postgresql": {"version": measured.postgresql, "source": measured.source},
        "agrees": not found.any,
        "states": [_state_json(state) for state in measured.states],
        "pairs": [_cell_json(cell, places[id(cell.state)]) for cell in measured.cells],
        "false_promises": [
            {
                "server": str(promise.server.version),
                "states": [places[id(state)] for state in promise.states],
                "message": sentences.promise_sentence(promise),
                "server_window": str(promise.server.server.schemas_origin),
                "shard_window": str(promise.release.database.servers_origin),
                **_failure_json(promise.failure),
            }
            for promise in found.promises
        ],
        "could_be_wider": [
            {"server": str(wider.server.version), "releases": [str(v) for v in wider.releases]}
            for wider in found.wider
        ],
        "not_measured": [str(version) for version in found.unmeasured],
        "fresh_installs": [
            {
                "release": str(comparison.release),
                "way": [str(version) for version in comparison.way],
                "differences": [
                    {"object": each.name, "upgraded": each.upgraded, "fresh": each.fresh}
                    for each in comparison.differences
                ],
            }
            for comparison in measured.comparisons
        ],
        "broken": [
            {"release": str(broken.release), "way": broken.way, "message": broken.sentence}
            for broken in measured.broken
        ],
    }


def _state_json(state: State) -> dict[str, Any]:
    return {
        "release": str(state.release),
        "after": state.action,
        "way": state.way,
        "half_way": not state.ends,
        "schema": state.shard.schema,
        "servers": window_json(state.shard.servers),
    }


def _cell_json(cell: Cell, state: int) -> dict[str, Any]:
    return {
        "server": str(cell.server),
        "state": state,
        "declared": cell.declared,
        "measured": None if cell.failures is None else cell.works,
        "verdict": verdict(cell).value,
        "failures": [_failure_json(failure) for failure in cell.failures or ()],
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    statement = failure.statement
    return {
        "by": failure.means.value,
        "statement": None if statement is None else statement.name,
        "place": None if statement is None else str(statement.origin),
        "sql": None if statement is None else statement.text,
        "code": failure.code,
        "answer": failure.message,
        "detail": failure.detail,
        **_exchange_json(failure.exchange),
    }


def _exchange_json(exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None:
        return {}
    return {
        "writer": str(exchange.writer),
        "after": exchange.wrote[-1],
        "wrote": list(exchange.wrote),
        "expected": exchange.expected,
        "found": exchange.found,
    }
