"""The pins of each wave as Hiera data: a file for each node, which Puppet's servers look up.

A value holds no '%', which Hiera would interpolate: versions and names of packages have none.
"""

import json
from collections.abc import Iterator

from toolchain.plan.rollout.telling.pins import WavePins


def puppet_files(waves: tuple[WavePins, ...]) -> Iterator[tuple[str, str]]:
    """The files of all waves, by path."""
    for wave in waves:
        for host, packages in wave.pins.items():
            lines = [f"# {wave.what}", "interlock::packages:"]
            lines += [f"  {json.dumps(name)}: {json.dumps(v)}" for name, v in packages.items()]
            yield f"waves/{wave.name}/nodes/{host}.yaml", "\n".join(lines) + "\n"
