"""The pins of each wave as attributes for Chef, with a policy that carries them."""

import json
from collections.abc import Iterator

from toolchain.plan.rollout.telling.pins import WavePins
from toolchain.render.templates import Templates


def chef_files(
    product: str, waves: tuple[WavePins, ...], templates: Templates
) -> Iterator[tuple[str, str]]:
    """The files of all waves, by path."""
    for number, wave in enumerate(waves, start=1):
        attributes = {"interlock": {"packages": wave.pins}}
        yield (
            f"waves/{wave.name}/attributes.json",
            json.dumps(attributes, indent=2, sort_keys=True) + "\n",
        )
        yield (
            f"waves/{wave.name}/Policyfile.rb",
            templates.render("chef/Policyfile.rb.j2", policy=f"{product}-wave-{number}"),
        )
