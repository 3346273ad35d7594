"""A fleet's status as OpenMetrics text, for Prometheus and its like.

Every family is a gauge, so that node_exporter's textfile collector, which reads Prometheus' older
text format, takes the same file. No host stands in a label: five hundred servers that come and go
would be as many series. https://github.com/prometheus/OpenMetrics/blob/main/specification
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.plan.fleet_status.blocked import Kind
from toolchain.plan.fleet_status.onward import Way
from toolchain.plan.fleet_status.progress import State
from toolchain.plan.fleet_status.servers import by_version
from toolchain.plan.fleet_status.status import FleetStatus, ShardStatus

# A fleet has a few; a ledger that somebody filled with thousands fills no monitoring system.
_MOST_VERSIONS = 50
_MOST_STEPS = 20

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """One metric; its samples in order. A unit is the end of the name."""

    name: str
    help: str
    samples: Sequence[tuple[Labels, float]]
    unit: str = ""


def openmetrics(status: FleetStatus) -> str:
    """The exposition, ended by `# EOF`; every sample carries the product."""
    lines: list[str] = []
    for family in _families(status):
        name = f"interlock_{family.name}"
        lines += [f"# HELP {name} {_escaped(family.help)}", f"# TYPE {name} gauge"]
        lines += [f"# UNIT {name} {family.unit}"] if family.unit else []
        for labels, value in family.samples:
            written = {"product": status.product, **labels}
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in written.items())
            lines.append(f"{name}{{{inside}}} {_number(value)}")
    return "\n".join([*lines, "# EOF", ""])


def _families(status: FleetStatus) -> Iterator[_Family]:
    yield _Family(
        name="status_timestamp_seconds",
        help="When the ledgers were read, in seconds since 1970.",
        samples=[({}, status.at.timestamp())],
        unit="seconds",
    )
    yield from _shards(status.shards)
    if status.onward.target is not None:
        yield _contradictions(status.shards)
    yield from _steps(status.shards)
    yield from _servers(status)
    yield from _blocked(status)
    if status.onward.target is not None:
        answer = {way.value: float(status.onward.way is way) for way in Way}
        yield _Family(
            name="plan_state",
            help="What the planner says of the way to the target: 1 at its answer.",
            samples=[
                ({"target": str(status.onward.target), "answer": text}, value)
                for text, value in answer.items()
            ],
        )
    if status.onward.way in {Way.WAVE, Way.DONE}:
        yield _Family(
            name="plan_waves",
            help="Waves that are left to the target.",
            samples=[({"target": str(status.onward.target)}, status.onward.waves)],
        )


def _shards(shards: Sequence[ShardStatus]) -> Iterator[_Family]:
    read = [(shard, shard.seen.ledger) for shard in shards if shard.seen.ledger is not None]
    yield _Family(
        name="shard_up",
        help="Whether the shard's ledger could be read.",
        samples=[_of(shard, shard.seen.ledger is not None) for shard in shards],
    )
    yield _Family(
        name="shard_schema_version",
        help="The schema that the shard says it has.",
        samples=[_of(shard, ledger.handshake.schema) for shard, ledger in read],
    )
    yield _Family(
        name="shard_info",
        help="The release whose schema is ready, and the last whose contract has begun; always 1.",
        samples=[
            _of(shard, 1, release=str(ledger.ready or ""), contract=str(ledger.closed or ""))
            for shard, ledger in read
        ],
    )
    yield _Family(
        name="shard_complete",
        help="Whether all of the shard's release has run, its contract too.",
        samples=[_of(one, one.complete) for one in shards if one.complete is not None],
    )
    # A standby does not see the primary's locks, so of one there is nothing to tell.
    seeing = [(shard, ledger) for shard, ledger in read if not ledger.standby]
    yield _Family(
        name="runner_active",
        help="Whether a phase runner is at work on the shard.",
        samples=[_of(shard, ledger.runner is not None) for shard, ledger in seeing],
    )
    yield _Family(
        name="runner_blocked",
        help="Whether the phase runner waits for a lock that another session holds.",
        samples=[
            _of(shard, bool(ledger.runner and ledger.runner.blockers)) for shard, ledger in seeing
        ],
    )
    yield _Family(
        name="shard_stopped_steps",
        help="Steps that have begun and not ended, and nobody works on them.",
        samples=[
            _of(shard, sum(one.state is State.STOPPED for one in shard.progress))
            for shard, _ in seeing
        ],
    )


def _contradictions(shards: Sequence[ShardStatus]) -> _Family:
    return _Family(
        name="shard_contradicts_specs",
        help="Whether the shard's ledger says what the specs do not make of its release.",
        samples=[
            _of(shard, shard.contradiction is not None)
            for shard in shards
            if shard.seen.ledger is not None
        ],
    )


def _steps(shards: Sequence[ShardStatus]) -> Iterator[_Family]:
    under_way = [
        ({"shard": shard.seen.name, "release": str(one.release), "step": one.step}, one)
        for shard in shards
        for one in shard.progress[:_MOST_STEPS]
    ]
    yield _Family(
        name="step_rows",
        help="Rows that an unfinished step has moved.",
        samples=[(labels, one.rows) for labels, one in under_way],
    )
    yield _Family(
        name="step_estimated_rows",
        help="PostgreSQL's estimate of all rows that an unfinished step moves.",
        samples=[(labels, one.total) for labels, one in under_way if one.total is not None],
    )
    yield _Family(
        name="step_remaining_seconds",
        help="The time that a running step takes still at its rate.",
        samples=[(labels, one.left) for labels, one in under_way if one.left is not None],
        unit="seconds",
    )


def _servers(status: FleetStatus) -> Iterator[_Family]:
    counts = by_version(status.servers)
    shown, rest = counts[:_MOST_VERSIONS], counts[_MOST_VERSIONS:]
    samples: list[tuple[Labels, float]] = []
    for life in ("live", "expired", "retired"):
        samples += [
            ({"version": str(one.version), "state": life}, getattr(one, life)) for one in shown
        ]
        if rest:
            older = {"version": "older", "state": life}
            samples.append((older, sum(getattr(one, life) for one in rest)))
    yield _Family(
        name="servers",
        help="Servers by version and by what their registrations say.",
        samples=samples,
    )
    yield _Family(
        name="servers_unseen_seconds",
        help="How long ago the live server that was not seen for longest was seen.",
        samples=[
            ({"version": str(one.version)}, one.oldest) for one in shown if one.oldest is not None
        ],
        unit="seconds",
    )


def _blocked(status: FleetStatus) -> Iterator[_Family]:
    families = (
        (Kind.MISFIT, "misfit_servers", "Servers that do not fit the shard, live or expired."),
        (Kind.CONTRACT, "contract_blocking_servers", "Servers that block the next contract."),
        (Kind.SCHEMA, "schema_blocking_servers", "Servers that block the next schema."),
    )
    for kind, name, meaning in families:
        found = {
            shard: len(one.servers)
            for one in status.blocked
            if one.kind is kind
            for shard in one.shards
        }
        yield _Family(
            name=name,
            help=meaning,
            samples=[
                _of(shard, found.get(shard.seen.name, 0))
                for shard in status.shards
                if shard.seen.ledger is not None
                and (kind is Kind.MISFIT or shard.state is not None)
            ],
        )


def _of(shard: ShardStatus, value: float, **labels: str) -> tuple[Labels, float]:
    return {"shard": shard.seen.name, **labels}, value


def _escaped(text: str) -> str:
    """What the format asks for; other control characters would reach a terminal through curl."""
    plain = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return "".join(letter if letter.isprintable() else "?" for letter in plain)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"
