"""Small rpms with what makes an index hard: odd characters, changelogs, very many files."""

import subprocess
import tempfile
from pathlib import Path

ODD_SUMMARY = "pairs <server> & \"database\" ]]> 'kept'"
ODD_FILE = "/usr/share/acme/a <b> & 'c'"
ODD_AUTHOR = "Ann <ann@example.com> & Bob"


def rpm(
    directory: Path, name: str = "acme-server", version: str = "1.0.0", *, files: int = 1
) -> Path:
    """An rpm with two changelog entries and so many files beside the one with the odd name."""
    spec = f"""\
Name: {name}
Version: {version}
Release: 1
Summary: {ODD_SUMMARY}
License: MIT
BuildArch: noarch
Conflicts: acme-schema < 11
%description
Text with <tags> & ampersands, and ü.
%install
mkdir -p %{{buildroot}}/usr/share/acme
cd %{{buildroot}}/usr/share/acme
touch "a <b> & 'c'"
for number in $(seq {files}); do : > "file-$number"; done
%files
/usr/share/acme
%changelog
* Mon May 04 2026 {ODD_AUTHOR} - 1.0.0-1
- Split <host> & more.
* Sun May 03 2026 {ODD_AUTHOR} - 0.9.0-1
- Began.
"""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "sample.spec").write_text(spec)
        macros = (
            *(f"_topdir {work}", f"_rpmdir {work}/out", f"_dbpath {work}/database"),
            *("_build_name_fmt %{NAME}-%{VERSION}.rpm", "_binary_payload w1.gzdio"),
        )
        defines = [word for macro in macros for word in ("--define", macro)]
        argv = ("rpmbuild", "-bb", "--quiet", *defines, f"{work}/sample.spec")
        subprocess.run(argv, check=True, capture_output=True)
        made = Path(work) / f"out/{name}-{version}.rpm"
        return made.rename(directory / made.name)
