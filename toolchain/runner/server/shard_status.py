"""What the package database says of a shard, beside what the shard says: age, drift, staleness."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..core.duration import spell_duration
from ..core.errors import RunnerError
from ..core.fleet import Outcome, Report
from ..core.law import Handshake
from ..packages.package_tools import Installed, package_tool
from ..packages.shard_package import prefix, read_version
from .agent_state import AgentFolder, AgentState, ShardState
from .registration import NotAccepted


class ShardPackages:
    """The shard packages of this host, as anybody may ask for them."""

    def __init__(self, product: str, state: AgentState, found: Sequence[Installed]) -> None:
        self._product = product
        self._state = state
        self._found = {one.name: one for one in found if one.is_shard_of(product)}

    @classmethod
    def of_host(cls, product: str, folder: AgentFolder) -> ShardPackages | None:
        """Those that the package database has; None where no server package is installed."""
        try:
            tool = package_tool(f"{product}-server")
            if tool is None:
                return None
            return cls(product, folder.read(), tool.installed(f"{prefix(product)}*"))
        except RunnerError:
            return None

    def beside(self, outcome: Outcome) -> Outcome:
        """The outcome of asking a shard, with what its package says."""
        name = f"{prefix(self._product)}{outcome.shard}"
        state = self._state.shards.get(outcome.shard, ShardState(None, 0, 0))
        there = self._found.get(name)
        packaged = None if there is None or not there.whole else read_version(there.version)
        live = _live(outcome)
        reading = None if live is None else _spelled(packaged) == live
        line = self._line(name, packaged, state, live)
        data = {
            "name": name,
            "version": None if there is None else there.version,
            "schema": None if packaged is None else packaged.schema,
            "servers": None if packaged is None else str(packaged.servers),
            "read": state.read or None,
            "live": reading,
            "problem": state.problem or None,
        }
        lines = () if outcome.report is None else outcome.report.lines
        rest = {} if outcome.report is None else outcome.report.data
        code = outcome.exit_code if outcome.report is None else outcome.report.exit_code
        report = Report((*lines, line), {**rest, "package": data}, code)
        return Outcome(outcome.shard, report, outcome.error)

    def _line(
        self, name: str, packaged: Handshake | None, state: ShardState, live: str | None
    ) -> str:
        agent = f"{self._product}-server sync"
        if packaged is None:
            told = f"{name} is not installed yet; {agent}, or its timer, makes it"
        else:
            told = f"{name} says {packaged}"
            if state.read:
                told += f", read {_ago(state.read)}"
            if live not in (None, _spelled(packaged)):
                told += f"; the shard says {live}: drifted until the next {agent}"
        if state.problem:
            told += f"; at the last try, {_ago(state.tried)}: {state.problem}"
        paused = self._state.rest(time.time())
        if paused:
            told += f"; the agent rests for {spell_duration(paused)}, as {agent} --remove was run"
        return told


def _live(outcome: Outcome) -> str | None:
    """What the shard says now, as `_spelled`; None where it has not answered."""
    if isinstance(outcome.error, NotAccepted):
        return str(outcome.error.handshake)
    data = {} if outcome.report is None else outcome.report.data
    if "schema" not in data:
        return None
    return f"schema {data['schema']}, servers {data['servers']}"


def _spelled(handshake: Handshake | None) -> str:
    return "" if handshake is None else str(handshake)


def _ago(at: int) -> str:
    age = time.time() - at
    return f"{spell_duration(age)} ago" if age >= 0 else "by a clock that went back"
