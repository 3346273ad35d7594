"""A fleet as an inventory file that says all that was known of it."""

import json
from collections.abc import Iterable

from toolchain.model.version import Version
from toolchain.plan.rollout.world.inventory import Fleet
from toolchain.plan.rollout.world.shard import Stage


def inventory_yaml(product: str, fleet: Fleet, told: Iterable[str] = ()) -> str:
    """The YAML text; hosts that run the same version stand together."""
    lines = [f"# {line}" for line in told]
    lines.append(f"product: {product}")
    if fleet.servers:
        lines.append("servers:")
    hosts: dict[Version, list[str]] = {}
    for server in fleet.servers:
        hosts.setdefault(server.version, []).append(server.host)
    for version in sorted(hosts):
        lines.append(f"  - version: {_quoted(str(version))}")
        lines.append("    hosts:")
        lines += [f"      - {_quoted(host)}" for host in hosts[version]]
    if fleet.shards:
        lines.append("shards:")
    for shard in fleet.shards:
        state = shard.state
        lines.append(f"  - name: {_quoted(shard.name)}")
        if shard.host is not None:
            lines.append(f"    host: {_quoted(shard.host)}")
        lines.append(f"    release: {_quoted(str(state.release))}")
        if state.stage is Stage.READY:
            lines.append("    contracted: false")
        lines.append(f"    schema: {state.handshake.schema}")
        lines.append(f"    servers: {_quoted(str(state.handshake.servers))}")
        if state.ahead:
            lines.append(f"    steps: [{', '.join(sorted(state.ahead))}]")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar; JSON's strings are such."""
    return json.dumps(text, ensure_ascii=False)
