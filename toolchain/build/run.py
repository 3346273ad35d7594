"""The build: plan everything, make what changed, prove it, and move it into place at once."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.build.companions import Contents, write_companions
from toolchain.build.inputs import with_its_variables
from toolchain.build.jobs import jobs_of
from toolchain.build.manifest import Built, built, read_manifest
from toolchain.build.output import alone_in, move_into_place, remove
from toolchain.build.sources import Sources, measure
from toolchain.build.staleness import stale_packages, without_a_spec
from toolchain.build.targets import Planned
from toolchain.build.workers import Progress, Workers
from toolchain.build.workshop import open_workshop
from toolchain.edge.digests import Digests
from toolchain.edge.process import Processes, processors
from toolchain.edge.resources import TemplateFiles
from toolchain.render.templates import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a build did: all current packages, which of them are new, and what went."""

    packages: tuple[Built, ...]
    made: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Everything a build needs beside its plan; `progress` gets done, total and a file name."""

    product: Path
    output: Path
    templates: TemplateFiles
    licence_text: str
    licence_file: str | None
    processes: Processes
    progress: Progress

    def build(self, packages: Sequence[Planned], *, whole: bool) -> Result:
        """Make what changed since the last build; nothing is replaced unless all succeeds.

        With `whole` the packages are all that the product has: what an earlier build made of
        releases without a spec, or targets that are gone, is taken away.
        """
        with alone_in(self.output, self.product):
            earlier = read_manifest(self.output)
            digests = Digests(self.output / ".digests.json")
            packages = with_its_variables(packages, self.product)
            sources = self._measured(packages, digests)
            stale = stale_packages(packages, sources, earlier, self.output, digests)
            name = packages[0].package.product
            gone = without_a_spec(name, sources, earlier) if whole else {}
            current = {file: row for file, row in earlier.items() if file not in gone}
            if stale or gone:
                # Beside the result, on one file system with it, so that the last step is a rename.
                with tempfile.TemporaryDirectory(prefix=".staging-", dir=self.output) as directory:
                    done = Path(directory)
                    current |= self._made(stale, done, sources, digests)
                    move_into_place(done, self.output, current.values())
            remove(gone.values(), self.output)
            digests.save()
        return Result(
            packages=tuple(current[file] for file in sources.inputs),
            made=frozenset(planned.file_name for planned in stale),
            removed=frozenset(gone),
        )

    def _measured(self, packages: Sequence[Planned], digests: Digests) -> Sources:
        """What the packages are made from, the tools included."""
        workshop = open_workshop(
            {planned.format for planned in packages},
            self.templates,
            self.licence_text,
            self.licence_file,
            self.processes,
        )
        return measure(packages, workshop, self.product, digests)

    def _made(
        self, stale: Sequence[Planned], done: Path, sources: Sources, digests: Digests
    ) -> dict[str, Built]:
        """The packages, made and proved in `done`, from what was measured and nothing else."""
        if not stale:
            return {}
        workers = Workers(
            product=self.product,
            scratch=self.output,
            templates=Templates(self.templates),
            licence_text=self.licence_text,
            processes=self.processes,
            progress=self.progress,
        )
        contents = workers.carry_out(jobs_of(stale, workers=processors()), done, sources)
        sources.require_unchanged(stale, self.product, digests)
        return {
            planned.file_name: _described(planned, done, sources, digests, contents)
            for planned in stale
        }


def _described(
    planned: Planned,
    done: Path,
    sources: Sources,
    digests: Digests,
    contents: Mapping[str, Contents],
) -> Built:
    """A package that was just made, with its SBOM and statement beside it."""
    file = planned.file_name
    path = done / file
    path.chmod(0o644)
    sha256 = digests.of(path)
    return built(
        planned,
        sha256=sha256,
        size=path.stat().st_size,
        inputs=sources.inputs[file],
        companions=write_companions(
            planned,
            path,
            sha256,
            contents=contents[file],
            files=sources.files[file],
            workshop=sources.workshop,
        ),
    )
