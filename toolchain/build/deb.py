"""One deb: stage, describe, pack."""

from collections.abc import Mapping
from pathlib import Path

from toolchain.edge.process import Command, Processes, processors
from toolchain.edge.resources import runner_files
from toolchain.edge.staging import stage
from toolchain.plan.compression import Compression
from toolchain.plan.entry import Entry, File
from toolchain.plan.package import Package
from toolchain.render.deb import render_control, render_deb
from toolchain.render.templates import Templates


def dpkg_deb(tree: Path, target: Path, compression: Compression, *, epoch: int) -> Command:
    """Describe the build; the epoch makes two builds of one tree the same bytes.

    The control member stays gzip, which every dpkg and library reads. The number of threads
    changes the speed, not the bytes; older releases ignore the variable.
    """
    level = () if compression.method == "none" else (f"-z{compression.level}",)
    return Command(
        argv=(
            "dpkg-deb",
            "--root-owner-group",
            "--no-uniform-compression",
            f"-Z{compression.method}",
            *level,
            "--build",
            str(tree),
            str(target),
        ),
        environment={
            "SOURCE_DATE_EPOCH": str(epoch),
            "DPKG_DEB_THREADS_MAX": str(processors()),
        },
    )


def build_deb(
    package: Package,
    compression: Compression,
    templates: Templates,
    licence_text: str,
    *,
    product: Path,
    work: Path,
    target: Path,
    processes: Processes,
) -> tuple[Entry, ...]:
    """Write one deb to `target`; `work` is an empty directory of its own.

    What stands in its data member comes back.
    """
    image = render_deb(package, templates, licence_text, runner_files())
    staged = stage(image.entries, work, product, epoch=package.epoch, checksum=True)
    control: Mapping[str, str] = {
        "control": render_control(package, templates, staged.installed_kib),
        "md5sums": "".join(f"{digest}  {path}\n" for path, digest in staged.md5sums),
        "conffiles": "".join(f"{path}\n" for path in image.conffiles),
        **image.scripts,
    }
    members = [
        File(
            path=f"/DEBIAN/{name}",
            content=text.encode(),
            mode=0o755 if name in image.scripts else 0o644,
        )
        for name, text in control.items()
        if text
    ]
    stage(members, work, product, epoch=package.epoch, checksum=False)
    processes.run(dpkg_deb(work, target, compression, epoch=package.epoch))
    return image.entries
