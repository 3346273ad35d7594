"""The hash of all that a package's bytes depend on; equal inputs need no second build."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from toolchain.build.targets import Planned


def with_its_variables(packages: Sequence[Planned], root: Path) -> list[Planned]:
    """The packages, each with those variables alone that its own specs name.

    The label of today's release is no input of yesterday's. Raises OSError.
    """
    text = cache(lambda path: (root / path).read_text(encoding="utf-8"))
    return [
        replace(
            planned,
            environment={
                name: value
                for name, value in planned.environment.items()
                if any(f"${{{name}}}" in text(path) for path in planned.specs)
            },
        )
        if planned.environment
        else planned
        for planned in packages
    ]


def package_inputs(planned: Planned, common: str, files: Mapping[str, str]) -> str:
    """SHA-256 in hex over the plan, the files that it is made from, and `common`.

    `files` holds SHA-256 by path, as the statement of provenance names them; `common` stands for
    templates, tools and Interlock itself.
    """
    package = planned.package
    state = hashlib.sha256(f"{common}\0{planned.format.value}\0{planned.compression}\0".encode())
    state.update(f"{planned.distributions!r}\0{planned.environment!r}\0".encode())
    for name in package.__slots__:
        if name != "entries":
            state.update(f"{name}={getattr(package, name)!r}\0".encode())
    for entry in package.entries:
        state.update(f"{entry!r}\0".encode())
    for path, digest in sorted(files.items()):
        state.update(f"{path}={digest}\0".encode())
    return state.hexdigest()
