"""The pool that makes packages: several tools at once, each package proved as it comes."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from toolchain.build.companions import Contents, contents_of
from toolchain.build.deb import build_deb
from toolchain.build.jobs import Deb, Job, Rpms
from toolchain.build.proof import prove
from toolchain.build.rpm import build_rpms
from toolchain.build.sources import Sources
from toolchain.edge.process import Processes, processors
from toolchain.edge.scratch import work_directory
from toolchain.edge.staging import payload_size
from toolchain.plan.entry import Entry
from toolchain.render.templates import Templates

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What every job is done with; `scratch` is where their trees stand meanwhile."""

    product: Path
    scratch: Path
    templates: Templates
    licence_text: str
    processes: Processes
    progress: Progress

    def carry_out(self, jobs: Sequence[Job], done: Path, sources: Sources) -> dict[str, Contents]:
        """Do all jobs, into `done`; what stands in each package comes back, by file name."""
        contents: dict[str, Contents] = {}
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
        return contents

    def _run(self, job: Job, done: Path, sources: Sources) -> dict[str, Contents]:
        """One job; its tree goes as soon as it is packed, so that trees don't add up."""
        size = sum(payload_size(planned.package.entries, self.product) for planned in job.packages)
        with work_directory(self.scratch, size) as work:
            made = work / "made"
            made.mkdir()
            entries = self._make(job, work / "work", made)
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

    def _make(self, job: Job, work: Path, made: Path) -> Mapping[str, tuple[Entry, ...]]:
        match job:
            case Deb(package=planned):
                entries = build_deb(
                    planned.package,
                    planned.compression,
                    self.templates,
                    self.licence_text,
                    product=self.product,
                    work=work,
                    target=made / planned.file_name,
                    processes=self.processes,
                )
                return {planned.file_name: entries}
            case Rpms(pairs=pairs):
                return build_rpms(
                    pairs,
                    self.templates,
                    self.licence_text,
                    product=self.product,
                    work=work,
                    target=made,
                    processes=self.processes,
                )
            case _ as never:
                assert_never(never)
