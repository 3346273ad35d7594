"""What the packages of a build are made from, measured before and looked at again after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolchain.build.inputs import package_inputs
from toolchain.build.targets import Planned
from toolchain.build.workshop import Workshop
from toolchain.edge.digests import Digests
from toolchain.errors import SpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """By a package's file name: the SHA-256 of each file of the product, and one for it all."""

    workshop: Workshop
    files: Mapping[str, Mapping[str, str]]
    inputs: Mapping[str, str]

    def require_unchanged(self, packages: Sequence[Planned], root: Path, digests: Digests) -> None:
        """What was hashed is what was packed, or a statement would name another input.

        Raises SpecError, OSError.
        """
        seen = {
            path: digest
            for planned in packages
            for path, digest in self.files[planned.file_name].items()
        }
        for path, digest in seen.items():
            if digests.of(root / path) != digest:
                raise SpecError(f"{root / path} changed during the build", "build again")


def measure(
    packages: Sequence[Planned], workshop: Workshop, root: Path, digests: Digests
) -> Sources:
    """Hash everything below `root` that the packages are made from; raises OSError."""
    digest = cache(lambda path: digests.of(root / path))
    files = {
        planned.file_name: {
            path: digest(path) for path in (*planned.materials, *workshop.shared[planned.format])
        }
        for planned in packages
    }
    inputs = {
        planned.file_name: package_inputs(planned, workshop.digest, files[planned.file_name])
        for planned in packages
    }
    return Sources(workshop=workshop, files=files, inputs=inputs)
