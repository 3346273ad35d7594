"""Builds small packages for both package managers from one description."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from .commands import run
from .recipes import Packaging


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A package; relations are in the words of its packaging, files are (path, text)."""

    name: str
    version: str
    requires: str = ""
    provides: str = ""
    conflicts: str = ""
    replaces: str = ""
    files: tuple[tuple[str, str], ...] = ()
    after_install: str = ":"
    before_removal: str = ":"
    protected: bool = False


def build(sample: Sample, packaging: Packaging, target: Path) -> Path:
    """Build the package into the directory `target`, and return its file."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        match packaging:
            case Packaging.DEB:
                return _build_deb(sample, Path(name), target)
            case Packaging.RPM:
                return _build_rpm(sample, Path(name), target)


def _build_deb(sample: Sample, work: Path, target: Path) -> Path:
    fields = {
        "Package": sample.name,
        "Version": sample.version,
        "Architecture": "all",
        "Maintainer": "Nobody <nobody@example.org>",
        "Description": "a sample",
        "Depends": sample.requires,
        "Provides": sample.provides,
        "Conflicts": sample.conflicts,
        "Replaces": sample.replaces,
        "Protected": "yes" if sample.protected else "",
    }
    control = "".join(f"{field}: {value}\n" for field, value in fields.items() if value)
    _lay_out(sample, work)
    _write(work / "DEBIAN/control", control, 0o644)
    for script, body in (("postinst", sample.after_install), ("prerm", sample.before_removal)):
        _write(work / "DEBIAN" / script, f"#!/bin/sh\nset -e\n{body}\n", 0o755)
    package = target / f"{sample.name}_{sample.version}_all.deb"
    run("dpkg-deb", "--root-owner-group", "--build", str(work), str(package))
    return package


def _build_rpm(sample: Sample, work: Path, target: Path) -> Path:
    protection = (f"/etc/dnf/protected.d/{sample.name}.conf", f"{sample.name}\n")
    files = (*sample.files, *((protection,) if sample.protected else ()))
    tags = {
        "Name": sample.name,
        "Version": sample.version,
        "Release": "1",
        "Summary": "a sample",
        "License": "Apache-2.0",
        "BuildArch": "noarch",
        "Requires": sample.requires,
        "Provides": sample.provides,
        "Conflicts": sample.conflicts,
        "Obsoletes": sample.replaces,
    }
    sections = {
        "description": "A sample.",
        "install": f"cp -a {work}/files/. %{{buildroot}}/",
        "post": sample.after_install,
        "preun": sample.before_removal,
        "files": "\n".join(path for path, _ in files),
    }
    header = "".join(f"{tag}: {value}\n" for tag, value in tags.items() if value)
    body = "".join(f"%{section}\n{text}\n" for section, text in sections.items())
    _lay_out(Sample(name=sample.name, version=sample.version, files=files), work / "files")
    (work / "sample.spec").write_text(header + body)
    macros = (f"_topdir {work}", f"_rpmdir {target}", f"_dbpath {work}/database")
    defines = (word for macro in macros for word in ("--define", macro))
    run("rpmbuild", "-bb", *defines, str(work / "sample.spec"))
    package = target / f"{sample.name}-{sample.version}-1.noarch.rpm"
    return (target / "noarch" / package.name).rename(package)


def _lay_out(sample: Sample, root: Path) -> None:
    root.mkdir(exist_ok=True)
    root.chmod(0o755)
    for path, text in sample.files:
        _write(Path(f"{root}{path}"), text, 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file whose directories have the usual mode, whatever umask the tests run with."""
    run("install", "-D", f"--mode={mode:o}", "/dev/stdin", str(path), stdin=text.encode())
