"""The build: plan everything, make what changed, prove it, and move it into place at once."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from toolchain.build.companions import Contents, contents_of, write_companions
from toolchain.build.deb import build_deb
from toolchain.build.inputs import with_its_variables
from toolchain.build.manifest import MANIFEST, Built, built, manifest_bytes, read_manifest
from toolchain.build.proof import prove
from toolchain.build.rpm import Pair, build_rpms
from toolchain.build.sources import Sources, measure
from toolchain.build.targets import Planned, architectures_last
from toolchain.build.workshop import open_workshop
from toolchain.edge.digests import Digests
from toolchain.edge.process import Processes, processors
from toolchain.edge.resources import TemplateFiles
from toolchain.edge.scratch import remove_leftovers, work_directory
from toolchain.edge.staging import payload_size
from toolchain.edge.undisturbed import undisturbed
from toolchain.errors import OutputError, SpecError
from toolchain.model.release import Architecture, Format
from toolchain.plan.entry import Entry
from toolchain.render.templates import Templates

# rpmbuild's start costs about 20 ms; a handful of specs in one run share it, and the progress
# still moves.
_SPECS_PER_RUN = 8

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a build did: all current packages, which of them are new, and what went."""

    packages: tuple[Built, ...]
    made: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work that makes some packages and says what stands in each, by file name."""

    packages: tuple[Planned, ...]
    run: Callable[[Path, Path], dict[str, tuple[Entry, ...]]]


@contextmanager
def _locked(output: Path, product: Path) -> Iterator[None]:
    """One build at a time writes here, and begins by removing what a killed one left."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with (output / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise OutputError(
                    f"another build is writing to {output}", "wait for it or choose --output"
                ) from error
            remove_leftovers(output)
            yield
    except OSError as error:
        sentence = f"{error.filename or output}: {error.strerror}"
        if Path(str(error.filename)).is_relative_to(product):
            raise SpecError(sentence, "make it readable") from error
        raise OutputError(sentence, "make room or choose --output") from error


def _pairs(packages: Iterable[Planned]) -> Iterator[Pair]:
    """One spec for each release and machine; the noarch database rides with the first."""

    def release(planned: Planned) -> str:
        return str(planned.release.version)

    for _, group in groupby(packages, release):
        ordered = sorted(group, key=architectures_last)
        machines = [p for p in ordered if p.package.architecture is not Architecture.ALL]
        others = tuple(p for p in ordered if p.package.architecture is Architecture.ALL)
        if not machines:
            yield Pair(packages=others)
        for number, planned in enumerate(machines):
            yield Pair(packages=(planned, *(others if number == 0 else ())))


def _with_their_pairs(packages: Sequence[Planned], stale: set[str]) -> list[Planned]:
    """The rpms of a release are made together: their headers name the spec that they come from."""
    releases = {
        planned.release.version
        for planned in packages
        if planned.format is Format.RPM and planned.file_name in stale
    }
    return [
        planned
        for planned in packages
        if planned.file_name in stale
        or (planned.format is Format.RPM and planned.release.version in releases)
    ]


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
        with _locked(self.output, self.product):
            return self._build(packages, whole=whole)

    def _build(self, packages: Sequence[Planned], *, whole: bool) -> Result:
        earlier = read_manifest(self.output)
        digests = Digests(self.output / ".digests.json")
        packages = with_its_variables(packages, self.product)
        workshop = open_workshop(
            {planned.format for planned in packages},
            self.templates,
            self.licence_text,
            self.licence_file,
            self.processes,
        )
        sources = measure(packages, workshop, self.product, digests)
        stale = _with_their_pairs(
            packages,
            {
                planned.file_name
                for planned in packages
                if not self._current(earlier.get(planned.file_name), sources, digests)
            },
        )
        name = packages[0].package.product
        gone = {
            file: row
            for file, row in earlier.items()
            if whole and row.product == name and file not in sources.inputs
        }
        kept = {file: row for file, row in earlier.items() if file not in gone}
        fresh = self._make(stale, sources, digests, kept) if stale or gone else {}
        for file, row in gone.items():
            for path in (file, *(companion for companion, _ in row.companions)):
                (self.output / path).unlink(missing_ok=True)
        digests.save()
        current = {**kept, **fresh}
        return Result(
            packages=tuple(current[name] for name in sources.inputs),
            made=frozenset(fresh),
            removed=frozenset(gone),
        )

    def _make(
        self,
        stale: Sequence[Planned],
        sources: Sources,
        digests: Digests,
        earlier: dict[str, Built],
    ) -> dict[str, Built]:
        # Beside the result, on one file system with it, so that the last step is a rename.
        with tempfile.TemporaryDirectory(prefix=".staging-", dir=self.output) as directory:
            done = Path(directory)
            contents: dict[str, Contents] = {}
            if stale:
                self._carry_out(self._jobs(stale), done, sources, contents)
                sources.require_unchanged(stale, self.product, digests)
            fresh = {}
            for planned in stale:
                file = planned.file_name
                path = done / file
                path.chmod(0o644)
                sha256 = digests.of(path)
                fresh[file] = built(
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
            self._publish(done, {**earlier, **fresh})
        return fresh

    def _current(self, known: Built | None, sources: Sources, digests: Digests) -> bool:
        if known is None or known.inputs != sources.inputs[known.file]:
            return False
        for name, digest in ((known.file, known.sha256), *known.companions):
            path = self.output / name
            if not path.is_file() or digests.of(path) != digest:
                return False
        return True

    def _jobs(self, packages: Sequence[Planned]) -> list[Job]:
        templates = Templates(self.templates)

        def deb(planned: Planned) -> Job:
            def run(work: Path, done: Path) -> dict[str, tuple[Entry, ...]]:
                entries = build_deb(
                    planned.package,
                    planned.compression,
                    templates,
                    self.licence_text,
                    product=self.product,
                    work=work,
                    target=done / planned.file_name,
                    processes=self.processes,
                )
                return {planned.file_name: entries}

            return Job(packages=(planned,), run=run)

        def rpms(pairs: Sequence[Pair]) -> Job:
            def run(work: Path, done: Path) -> dict[str, tuple[Entry, ...]]:
                return build_rpms(
                    pairs,
                    templates,
                    self.licence_text,
                    product=self.product,
                    work=work,
                    target=done,
                    processes=self.processes,
                )

            return Job(packages=tuple(p for pair in pairs for p in pair.packages), run=run)

        jobs = [deb(planned) for planned in packages if planned.format is Format.DEB]
        pairs = list(_pairs(planned for planned in packages if planned.format is Format.RPM))
        pairs.sort(key=lambda pair: pair.packages[0].rpm_architecture)
        chunks: list[list[Pair]] = []
        size = max(1, min(_SPECS_PER_RUN, len(pairs) // processors()))
        for _, group in groupby(pairs, lambda pair: pair.packages[0].rpm_architecture):
            same = list(group)
            chunks += [same[start : start + size] for start in range(0, len(same), size)]
        return [rpms(chunk) for chunk in chunks] + jobs

    def _carry_out(
        self, jobs: Sequence[Job], done: Path, sources: Sources, contents: dict[str, Contents]
    ) -> None:
        """All jobs, and what stands in each package they make."""
        finished, total = 0, sum(len(job.packages) for job in jobs)
        self.progress(0, total, "")
        with ThreadPoolExecutor(max_workers=processors()) as executor:
            pending: dict[Future[dict[str, Contents]], Job] = {}
            try:
                for job in jobs:
                    pending[executor.submit(self._run, job, done, sources)] = job
                while pending:
                    ready, _ = wait(pending, return_when=FIRST_COMPLETED)
                    for future in ready:
                        job = pending.pop(future)
                        contents |= future.result()
                        finished += len(job.packages)
                        self.progress(finished, total, job.packages[-1].file_name)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                self.processes.stop()
                raise

    def _run(self, job: Job, done: Path, sources: Sources) -> dict[str, Contents]:
        """One job; its tree goes as soon as it is packed, so that trees don't add up."""
        size = sum(payload_size(planned.package.entries, self.product) for planned in job.packages)
        with work_directory(self.output, size) as work:
            made = work / "made"
            made.mkdir()
            entries = job.run(work / "work", made)
            paths = {
                file: frozenset(entry.path for entry in inside) for file, inside in entries.items()
            }
            prove(job.packages, paths, made, self.processes)
            for path in made.iterdir():
                shutil.move(path, done)
        return {
            file: contents_of(inside, sources.files[file], self.product)
            for file, inside in entries.items()
        }

    def _publish(self, done: Path, packages: dict[str, Built]) -> None:
        """Packages first, the manifest that names them last; no signal comes in between."""
        ready = {path.name for path in done.iterdir()}
        present = [
            row
            for row in packages.values()
            if row.file in ready or (self.output / row.file).is_file()
        ]
        staged = done / MANIFEST
        staged.write_bytes(manifest_bytes(present))
        with undisturbed():
            for name in sorted(ready):
                (done / name).replace(self.output / name)
            staged.replace(self.output / MANIFEST)
