"""Several releases' rpms by one rpmbuild: its start costs more than a small package.

Nothing of the build host's configuration is read: macros and rpmrc are rpm's own, and the
scripts, policies and dependency generators that rpmbuild would start are turned off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.build.targets import Planned
from toolchain.edge.process import Command, Processes
from toolchain.edge.resources import packaging_directory, runner_files
from toolchain.edge.staging import stage
from toolchain.plan.compression import Compression
from toolchain.plan.entry import Entry
from toolchain.render.rpm import RpmSpec, render_rpm
from toolchain.render.templates import Templates

_PAYLOADS = {"zstd": "zstdio", "xz": "xzdio", "gzip": "gzdio", "none": "ufdio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The packages of one release for one architecture: one spec file."""

    packages: tuple[Planned, ...]

    @property
    def build_root(self) -> str:
        """Rpm's own name for this spec's root, below %_buildrootdir."""
        first = self.packages[0]
        return f"{first.package.name}-{first.package.full_version}.{first.rpm_architecture}"


def rpmbuild(
    specs: Sequence[Path],
    work: Path,
    output: Path,
    compression: Compression,
    *,
    architecture: str,
) -> Command:
    """Describe one run over several specs whose roots are staged below `work`/roots."""
    payload = _PAYLOADS[compression.method]
    level = "" if compression.method == "none" else str(compression.level)
    defines = {
        "_topdir": str(work),
        "_tmppath": str(work),
        "_builddir": str(work),
        "_sourcedir": str(work),
        "_specdir": str(work),
        "_srcrpmdir": str(work),
        "_rpmdir": str(output),
        "_buildrootdir": str(work / "roots"),
        "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "_binary_payload": f"w{level}.{payload}",
        "_dbpath": str(work / "db"),
        "_smp_build_ncpus": "1",
        # The header names the host and the time of the build, and files keep their own times.
        "_buildhost": "interlock",
        "use_source_date_epoch_as_buildtime": "1",
        "source_date_epoch_from_changelog": "0",
        "clamp_mtime_to_source_date_epoch": "1",
        # rpmbuild would empty the staged root, scan it, strip it and hash build ids into it.
        "__spec_install_pre": "%{nil}",
        "__os_install_post": "%{nil}",
        "__arch_install_post": "%{nil}",
        "__check_files": "%{nil}",
        "_build_id_links": "none",
        "_missing_build_ids_terminate_build": "0",
        "_binaries_in_noarch_packages_terminate_build": "0",
        "debug_package": "%{nil}",
        # The same checksums whatever the host's rpm prefers: 8 is SHA-256.
        "_binary_filedigest_algorithm": "8",
    }
    return Command(
        argv=(
            "rpmbuild",
            "-bb",
            "--quiet",
            "--noprep",
            "--noclean",
            "--nodebuginfo",
            "--rcfile",
            "/usr/lib/rpm/rpmrc",
            "--macros",
            "/usr/lib/rpm/macros:/usr/lib/rpm/platform/%{_target}/macros",
            "--target",
            f"{architecture}-linux",
            *(part for name, value in defines.items() for part in ("-D", f"{name} {value}")),
            *(str(spec) for spec in specs),
        ),
        environment={"HOME": str(work), "MAGIC": str(packaging_directory() / "rpm/magic")},
    )


def _stage_pair(spec: RpmSpec, root: Path, product: Path, epoch: int) -> None:
    entries = [entry for image in spec.images for entry in image.entries]
    stage(entries, root, product, epoch=epoch, checksum=False)


def build_rpms(
    pairs: Sequence[Pair],
    templates: Templates,
    licence_text: str,
    *,
    product: Path,
    work: Path,
    target: Path,
    processes: Processes,
) -> dict[str, tuple[Entry, ...]]:
    """Write the rpms of several releases of one target into `target`.

    What stands in each comes back by file name.
    """
    specs = []
    work.mkdir()
    entries: dict[str, tuple[Entry, ...]] = {}
    first = pairs[0].packages[0]
    for number, pair in enumerate(pairs):
        packages = [planned.package for planned in pair.packages]
        spec = render_rpm(packages, templates, licence_text, runner_files())
        _stage_pair(spec, work / "roots" / pair.build_root, product, packages[0].epoch)
        path = work / f"{number:04d}-{pair.build_root}.spec"
        path.write_text(spec.text)
        specs.append(path)
        for planned, image in zip(pair.packages, spec.images, strict=True):
            entries[planned.file_name] = image.entries
    processes.run(
        rpmbuild(
            specs,
            work,
            target,
            first.compression,
            architecture=first.rpm_architecture,
        )
    )
    return entries
