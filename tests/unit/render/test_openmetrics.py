"""OpenMetrics text, as the field's own parser reads it."""

import re
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_format

from tests.unit.plan.fleet_status.fleet import AT_1_0, CHAIN, server, shard, step, unread
from tests.unit.plan.rollout.samples import V
from toolchain.fleet.status import states_of
from toolchain.plan.fleet_status.onward import Onward, Way
from toolchain.plan.fleet_status.seen import RunnerSeen, ShardSeen
from toolchain.plan.fleet_status.status import FleetStatus, status_of
from toolchain.render.openmetrics import openmetrics

MOVING = step("mail.migrate", "1.1.0", "running", rows=600, seconds=3.0, estimate=1000)
HOSTILE = 'no"rth\\\n# EOF\x1b[2J'


def status(*seen: ShardSeen) -> FleetStatus:
    return status_of(
        "fleetdesk",
        datetime(2026, 5, 4, 12, tzinfo=UTC),
        seen,
        Onward(way=Way.UNKNOWN, target=V("1.2.0"), reasons=("a shard was not read",)),
        states=states_of(seen, CHAIN),
        chain=CHAIN,
        rates={},
    )


SEEN = status(
    shard(
        "north",
        "1.0.0",
        server("web1", "1.0.0"),
        server("web2", "1.0.0", age=77.5),
        server("web3", "1.0.0", live=False),
        steps=(*AT_1_0, MOVING),
        runner=RunnerSeen(pid=42, application="fleetdesk-database@db1"),
    ),
    shard("south", "1.0.0", server("web1", "1.0.0"), steps=(*AT_1_0, MOVING)),
    unread(HOSTILE, "cannot be read"),
)


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(text: str, name: str, label: str) -> dict[str, float]:
    return {one.labels[label]: one.value for one in families(text)[f"interlock_{name}"].samples}


def test_the_parser_reads_what_was_seen():
    text = openmetrics(SEEN)
    assert text.endswith("\n# EOF\n")
    assert text.count("# EOF\n") == 1
    up = values(text, "shard_up", "shard")
    assert list(up.values()) == [1, 1, 0]
    assert values(text, "servers", "state") == {"live": 2, "expired": 1, "retired": 0}
    assert values(text, "servers_unseen_seconds", "version") == {"1.0.0": 77.5}
    assert values(text, "runner_active", "shard") == {"north": 1, "south": 0}
    assert values(text, "shard_stopped_steps", "shard") == {"north": 0, "south": 1}
    assert values(text, "step_rows", "shard") == {"north": 600, "south": 600}
    assert values(text, "step_remaining_seconds", "shard") == {"north": 2}
    assert values(text, "contract_blocking_servers", "shard") == {"north": 3, "south": 1}
    assert values(text, "status_timestamp_seconds", "product") == {"fleetdesk": 1777896000}
    assert values(text, "plan_state", "answer")["unknown"] == 1


def test_names_units_and_types_are_the_fields():
    for name, family in families(openmetrics(SEEN)).items():
        assert re.fullmatch(r"interlock_[a-z_]+", name)
        assert family.type == "gauge"
        assert (family.unit == "seconds") == name.endswith("_seconds")
        assert family.documentation.endswith(".")


def test_the_older_format_reads_the_same():
    """node_exporter's textfile collector knows Prometheus' own text format only."""
    text = openmetrics(SEEN)
    older = {family.name: family.samples for family in older_format(text)}
    newer = {name: family.samples for name, family in families(text).items()}
    assert {name: found for name, found in newer.items() if found} == {
        name: found for name, found in older.items() if found
    }


def test_hostile_labels_stay_labels():
    text = openmetrics(SEEN)
    assert "\x1b" not in text
    (hostile,) = [name for name in values(text, "shard_up", "shard") if name.startswith('no"')]
    assert hostile == 'no"rth\\\n# EOF?[2J'


def test_labels_are_bounded():
    servers = [server(f"web{at}", f"1.0.{at}") for at in range(500)]
    moving = [step(f"s{at}.migrate", "1.1.0", "running") for at in range(500)]
    text = openmetrics(status(shard("north", "1.0.0", *servers, steps=(*AT_1_0, *moving))))
    assert len(text.splitlines()) < 400
    assert "web7" not in text
    live = families(text)["interlock_servers"].samples
    assert sum(one.value for one in live if one.labels["state"] == "live") == 500
