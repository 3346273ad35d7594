"""The two client set-up packages of a repository, made by the builders of all packages."""

import tempfile
from pathlib import Path

from toolchain.build.deb import build_deb
from toolchain.build.rpm import rpmbuild
from toolchain.edge.process import Processes
from toolchain.edge.resources import TemplateFiles, packaging_directory
from toolchain.edge.staging import stage
from toolchain.model.release import Architecture, Format
from toolchain.plan.client import ClientSetup
from toolchain.plan.compression import Compression
from toolchain.render.client import client_package
from toolchain.render.rpm import render_rpm, rpm_architecture
from toolchain.render.templates import Templates

# Read by every apt and rpm; the packages are a few kilobytes.
_COMPRESSION = Compression("xz", 6)


def own_templates() -> Templates:
    """Interlock's own templates: a repository may hold several builds, and no product's overlay."""
    return Templates(TemplateFiles((packaging_directory(),)))


def client_content(setup: ClientSetup, format_: Format) -> str:
    """All that a client package is made of, as text: another Interlock may say it otherwise."""
    templates = own_templates()
    package = client_package(setup, format_, templates)
    if format_ is Format.DEB:
        return repr(package)
    # The scripts, which for a deb hold nothing of ours, stand in the spec.
    return repr(package) + render_rpm([package], templates, _licence_text(setup), ()).text


def build_client_packages(
    setup: ClientSetup, target: Path, processes: Processes
) -> tuple[Path, Path]:
    """Write the deb and the rpm into `target`; the rpm is still unsigned.

    The same set-up gives the same bytes. Raises ToolError and OSError.
    """
    templates = own_templates()
    with tempfile.TemporaryDirectory(prefix="interlock-client-") as directory:
        work = Path(directory)
        deb = _deb(setup, templates, work, target, processes)
        rpm = _rpm(setup, templates, work, target, processes)
    return deb, rpm


def _licence_text(setup: ClientSetup) -> str:
    return f"{setup.product} is licensed under {setup.licence}."


def _deb(
    setup: ClientSetup, templates: Templates, work: Path, target: Path, processes: Processes
) -> Path:
    path = target / setup.deb_file
    build_deb(
        client_package(setup, Format.DEB, templates),
        _COMPRESSION,
        templates,
        _licence_text(setup),
        product=work,
        work=work / "deb",
        target=path,
        processes=processes,
    )
    return path


def _rpm(
    setup: ClientSetup, templates: Templates, work: Path, target: Path, processes: Processes
) -> Path:
    package = client_package(setup, Format.RPM, templates)
    machine = rpm_architecture(Architecture.ALL)
    spec = render_rpm([package], templates, _licence_text(setup), ())
    root = work / "roots" / f"{package.name}-{package.full_version}.{machine}"
    stage(spec.images[0].entries, root, work, epoch=package.epoch, checksum=False)
    path = work / f"{package.name}.spec"
    path.write_text(spec.text)
    processes.run(rpmbuild([path], work, target, _COMPRESSION, architecture=machine))
    return target / setup.rpm_file
