"""A plan as an inventory and a playbook for ansible-core.

Whatever comes from a fleet or a spec is written as `!unsafe`, so that no text of theirs is ever
taken for a template. Names of hosts cannot be written so, being keys; they are checked instead.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

import yaml

from toolchain.plan.rollout.telling.orders import Order, Orders, Probe
from toolchain.plan.rollout.world.inventory import Side

Text = tuple[str, str]


class Unsafe(str):
    """Text that Ansible shall take as it stands."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - an alias saves no reader time
        return True


_Dumper.add_representer(
    Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"')
)


def ansible_files(orders: Orders) -> tuple[Text, ...]:
    """The files that depend on the plan, by path: inventory, values, a file for each play."""
    identity = _identity(orders)
    plays = tuple((file_of(order), order) for order in orders.plays)
    return (
        ("inventory.yml", _yaml(_inventory(orders, identity))),
        *((f"waves/{name}", _yaml(_plays(orders, order, identity))) for name, order in plays),
        ("rollout.yml", _yaml(list(_imports(name for name, _ in plays)))),
    )


def readme_values(orders: Orders) -> dict[str, object]:
    """What the README of an export is filled with."""
    return {
        "product": orders.product.name,
        "target": str(orders.target),
        "plays": [
            {"file": file_of(order), "what": _what(orders, order), "count": len(order.hosts)}
            for order in orders.plays
        ],
    }


def file_of(order: Order) -> str:
    """The name of a play's file below `waves/`."""
    contract = "-contract" if order.contracts else ""
    return f"{order.wave:02d}-{order.side.value}-{order.release}{contract}.yml"


def group_of(wave: int) -> str:
    """The group of the hosts of a wave."""
    return f"wave_{wave:02d}"


def _identity(orders: Orders) -> str:
    """Tells two plans apart, so that no playbook runs with the inventory of another one."""
    whole = json.dumps(
        [_inventory(orders, ""), [_plays(orders, play, "") for play in orders.plays]]
    )
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _inventory(orders: Orders, identity: str) -> dict[str, object]:
    groups: dict[str, object] = {
        "servers": {"hosts": _no_values(orders.servers)},
        "shards": {
            "hosts": {
                host: {
                    "interlock_shards": {
                        str(wave): [Unsafe(name) for name in names] for wave, names in waves.items()
                    }
                }
                for host, waves in orders.runners.items()
            }
        },
    }
    for wave in orders.waves:
        hosts = [host for order in orders.of(wave) for host in order.hosts]
        groups[group_of(wave)] = {"hosts": _no_values(hosts)}
    return {"all": {"vars": {"interlock_inventory": identity}, "children": groups}}


def _no_values(hosts: Iterable[str]) -> dict[str, object]:
    return {host: {} for host in sorted(set(hosts))}


def _values(orders: Orders) -> dict[str, object]:
    product = orders.product
    return {
        "interlock_product": Unsafe(product.name),
        "interlock_server_package": Unsafe(product.server_package),
        "interlock_database_package": Unsafe(product.database_package),
        "interlock_order": [Unsafe(version) for version in orders.order],
        "interlock_agent": orders.agent,
    }


def _imports(names: Iterable[str]) -> Iterator[dict[str, object]]:
    for name in names:
        yield {"ansible.builtin.import_playbook": f"waves/{name}"}


def _plays(orders: Orders, order: Order, identity: str) -> list[dict[str, object]]:
    side = order.side.value
    what = f"Wave {order.wave}: {_what(orders, order)}"
    return [
        {"name": f"{what}: ask", **_frame(orders, order, identity, f"ask-{side}")},
        {
            "name": what,
            **_frame(orders, order, identity, f"move-{side}"),
            # Nothing moves under --check, so nobody waits for anybody.
            "serial": "{{ '100%' if ansible_check_mode | default(false) else"
            f" interlock_serial_{side} | default(interlock_serial | default([1, '10%']))"
            " }}",
        },
    ]


def _what(orders: Orders, order: Order) -> str:
    what = f"{order.side.value} to {order.release}"
    if order.contracts:
        return f"{what}, for good"
    if order.side is Side.SHARDS and any(play.contracts for play in orders.of(order.wave)):
        return f"{what}, before its contract"
    return what


def _frame(orders: Orders, order: Order, identity: str, tasks: str) -> dict[str, object]:
    tags = [f"wave-{order.wave}", order.side.value]
    return {
        "hosts": group_of(order.wave),
        "gather_facts": False,
        "become": True,
        # `serial` alone goes on with the next batch after one has failed.
        "any_errors_fatal": True,
        "max_fail_percentage": 0,
        "tags": [*tags, "contract"] if order.contracts else tags,
        "vars": {"interlock_plan": identity, **_values(orders), **_variables(orders, order)},
        "tasks": [{"ansible.builtin.import_role": {"name": "interlock", "tasks_from": tasks}}],
    }


def _variables(orders: Orders, order: Order) -> dict[str, object]:
    earlier = [group_of(wave) for wave in orders.waves if wave < order.wave]
    common: dict[str, object] = {
        "interlock_wave": str(order.wave),
        "interlock_group": group_of(order.wave),
        "interlock_play": file_of(order).removesuffix(".yml"),
        "interlock_earlier": earlier,
        "interlock_release": Unsafe(order.release),
        "interlock_version": Unsafe(order.version),
    }
    if order.side is Side.SHARDS:
        return {
            **common,
            "interlock_package": "{{ interlock_database_package }}",
            "interlock_phase": order.phase.value,
            "interlock_contracts": [Unsafe(version) for version in order.contracts],
        }
    return {
        **common,
        "interlock_package": "{{ interlock_server_package }}",
        "interlock_last": order.last,
        "interlock_handshake": Unsafe(json.dumps(order.handshake, sort_keys=True)),
        "interlock_services": [_service(probe) for probe in order.probes],
    }


def _service(probe: Probe) -> Mapping[str, object]:
    health = probe.health
    asked: dict[str, object] = {"unit": Unsafe(probe.unit), "timeout": health.timeout}
    if health.url is not None:
        asked["url"] = Unsafe(health.url)
    if health.command:
        asked["command"] = [Unsafe(word) for word in health.command]
    return asked


def _yaml(value: object) -> str:
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, indent=2
    )
