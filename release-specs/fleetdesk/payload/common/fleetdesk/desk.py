"""What Fleetdesk does, over all shards: each operation is one transaction on one shard."""

from __future__ import annotations

import logging
from typing import Any

import psycopg2

from fleetdesk.facts import Facts
from fleetdesk.shards import AwayError, Shard, home, schema_seen
from fleetdesk_release import messages, store

Host = dict[str, Any]

_log = logging.getLogger("fleetdesk")


class Desk:
    """The hosts of all shards as one inventory."""

    def __init__(self, shards: dict[str, Shard]) -> None:
        self._shards = shards

    def hosts(self) -> tuple[list[Host], dict[str, str]]:
        """Every host that can be read, by name, and why the other shards did not answer."""
        found: list[Host] = []
        away = {}
        for name, shard in self._shards.items():
            try:
                rows = shard.run(store.list_hosts, repeatable=True)
            except (AwayError, psycopg2.Error) as problem:
                away[name] = sentence(shard, problem)
            else:
                found += ({**row, "shard": name} for row in rows)
        return sorted(found, key=lambda host: host["name"]), away

    def host(self, name: str) -> Host | None:
        """One host, or None."""
        shard = home(self._shards, name)
        row = shard.run(lambda cursor: store.get_host(cursor, name), repeatable=True)
        return None if row is None else {**row, "shard": shard.name}

    def put(self, name: str, facts: Facts) -> Host:
        """Write all facts of a host, new or known; what is not given is unknown from now on."""
        every: Facts = {fact: facts.get(fact) for fact in store.FACTS}

        def put(cursor: Any) -> Any:
            store.put_host(cursor, name, every)
            store.log(cursor, actor="web", action="put", host=name, detail=facts)
            return store.get_host(cursor, name)

        shard = home(self._shards, name)
        return {**shard.run(put, repeatable=True), "shard": shard.name}

    def delete(self, name: str) -> bool:
        """Delete a host; False when there is none."""

        def delete(cursor: Any) -> bool:
            known: bool = store.delete_host(cursor, name)
            if known:
                store.log(cursor, actor="web", action="delete", host=name, detail={})
            return known

        return home(self._shards, name).run(delete, repeatable=False)

    def scan(self, name: str, facts: Facts, priority: int) -> int | None:
        """Ask for a job that notes what a scan found; its number, or None without such a host."""

        def enqueue(cursor: Any) -> int | None:
            if store.get_host(cursor, name) is None:
                return None
            number: int = store.enqueue(cursor, name, "scan", messages.encode(facts), priority)
            return number

        return home(self._shards, name).run(enqueue, repeatable=False)

    def history(self, name: str) -> list[Host]:
        """The audit log of one host, the latest first; it outlives the host."""
        shard = home(self._shards, name)
        return shard.run(lambda cursor: store.history(cursor, name), repeatable=True)

    def health(self) -> dict[str, Any]:
        """Whether each shard answers, and the schema that it claims; None where it keeps none."""
        shards: dict[str, Any] = {}
        for name, shard in self._shards.items():
            try:
                schema = shard.run(schema_seen, repeatable=True, patience=0.0)
            except (AwayError, psycopg2.Error) as problem:
                shards[name] = {"reachable": False, "error": sentence(shard, problem)}
            else:
                shards[name] = {"reachable": True, "schema": schema}
        return shards


def sentence(shard: Shard, problem: Exception) -> str:
    """What to tell of a failure on a shard; PostgreSQL's own words go to the log in full."""
    if isinstance(problem, AwayError):
        _log.warning("%s", problem)
        return f"shard {shard.name} is not available"
    _log.error("shard %s refused a statement: %s", shard.name, " ".join(str(problem).split()))
    return f"shard {shard.name} refused a statement"
