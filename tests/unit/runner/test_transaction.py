"""What apt and dnf tell their hooks."""

from pathlib import Path

import pytest

from toolchain.runner.core.errors import ConfigurationError
from toolchain.runner.packages.transaction import Change, read_apt, read_lines

APT = """\
VERSION 3
APT::Architecture=amd64
DPkg::Pre-Install-Pkgs::=/usr/sbin/dpkg-preconfigure%20--apt%20||%20true

demo-server 1.0.0-1 all none < 1.1.0-1 all none /var/cache/apt/archives/demo-server 1%3a.deb
demo-shard-north 11-1 all none > - - none **REMOVE**
other - - none < 2.0 amd64 same **CONFIGURE**
"""


def test_protocol_3_of_apt() -> None:
    assert read_apt(APT) == (
        Change("demo-server", "1.1.0-1", Path("/var/cache/apt/archives/demo-server 1%3a.deb")),
        Change("demo-shard-north", "11-1", None),
    )
    assert read_apt("VERSION 3\n\nfoo - - none < 1 all none /foo.deb\n")[0].name == "foo"
    assert read_apt("VERSION 3\nA=b\n\n") == ()


@pytest.mark.parametrize("text", ["/srv/demo.deb\n", "VERSION 2\nA=b\n\ndemo - < 1 /x\n", ""])
def test_another_protocol_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="apt did not tell its hook"):
        read_apt(text)


def test_a_line_that_nobody_understands() -> None:
    with pytest.raises(ConfigurationError, match="nobody understands: demo < 1"):
        read_apt("VERSION 3\nA=b\n\ndemo < 1\n")
    with pytest.raises(ConfigurationError, match="nobody understands: demo"):
        read_lines("demo\n")


def test_the_lines_of_dnf() -> None:
    assert read_lines("demo-server 1.1.0-1 /a b.rpm\ndemo-shard-north 11-1 -\n") == (
        Change("demo-server", "1.1.0-1", Path("/a b.rpm")),
        Change("demo-shard-north", "11-1", None),
    )
