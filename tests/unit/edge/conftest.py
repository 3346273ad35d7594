"""Small real files for the tools at the edge."""

import subprocess
from pathlib import Path

import pytest

_SPEC = """\
Name: small
Version: 1
Release: 1
Summary: Small
License: MIT
BuildArch: noarch
%description
Small.
%files
"""


@pytest.fixture(scope="session")
def small_rpm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unsigned rpm."""
    top = tmp_path_factory.mktemp("small-rpm")
    (top / "small.spec").write_text(_SPEC)
    subprocess.run(
        ("rpmbuild", "-bb", "--quiet", "-D", f"_topdir {top}", top / "small.spec"),
        check=True,
        capture_output=True,
    )
    return top / "RPMS/noarch/small-1-1.noarch.rpm"
