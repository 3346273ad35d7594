"""What the root trees of test hosts are made of, as plain data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

SUITE = "bookworm"


class Packaging(StrEnum):
    """The package manager that a host's tests speak to."""

    DEB = "deb"
    RPM = "rpm"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """One file that is written over the tree once its packages are installed."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A root tree: packages, then files over them; two equal recipes share one cached tree."""

    name: str
    packaging: Packaging
    packages: tuple[str, ...]
    files: tuple[TreeFile, ...]
    masked_units: tuple[str, ...]
    masked_generators: tuple[str, ...] = ()
    base_package: str = ""

    def key(self, steps: bytes) -> str:
        """Name the tree by its content and by `steps`, the source of the code that makes it."""
        return hashlib.sha256(repr(self).encode() + steps).hexdigest()[:16]


_PACKAGES = (
    "dbus",
    "iproute2",
    "postgresql",
    "procps",
    "python3",
    "python3-apt",
    "python3-asgiref",
    "python3-attr",
    "python3-croniter",
    "python3-dateutil",
    "python3-psycopg",
    "python3-psycopg-pool",
    "python3-psycopg2",
    "python3-sqlparse",
    "python3-typing-extensions",
    "python3-tz",
    "systemd",
    "systemd-sysv",
)

_FILES = (
    # Empty, so that the host's name is the one it is booted with.
    TreeFile(path="etc/hostname", text=""),
    # Empty, not missing: systemd makes up the identifier without treating it as a first boot,
    # which would enable every unit by preset.
    TreeFile(path="etc/machine-id", text=""),
    # No name server: a name that is not in /etc/hosts fails at once instead of after a timeout.
    TreeFile(path="etc/resolv.conf", text=""),
    # The cluster exists but stays down until a test asks: it is most of the boot time.
    TreeFile(path="etc/postgresql/15/main/start.conf", text="manual\n"),
)

_MASKED_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "systemd-tmpfiles-clean.timer",
)

# systemd runs every generator at boot and at each daemon-reload, which each package's script asks
# for: these find nothing on such a host, and were nine tenths of a reload's half second.
_MASKED_GENERATORS = (
    "systemd-cryptsetup-generator",
    "systemd-debug-generator",
    "systemd-fstab-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-rc-local-generator",
    "systemd-run-generator",
    "systemd-system-update-generator",
    "systemd-sysv-generator",
    "systemd-veritysetup-generator",
)

# Debian's dnf ships best=False, with which an upgrade that cannot be done is skipped and the
# exit status is still 0. These are the lines that RHEL 9 ships.
# Plugins: Debian's dnf looks in python3/dist-packages alone, RHEL's in the site-packages of
# its own Python (3.6 in RHEL 8, 3.9 in RHEL 9, 3.12 in RHEL 10), so a package built for any of
# them finds its plugin loaded here.
# module_platform_id comes from PLATFORM_ID in RHEL's os-release, which Debian's lacks.
_DNF_CONF = """\
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
module_platform_id=platform:el9
pluginpath=/usr/lib/python3/dist-packages/dnf-plugins,\
/usr/lib/python3.6/site-packages/dnf-plugins,\
/usr/lib/python3.9/site-packages/dnf-plugins,\
/usr/lib/python3.12/site-packages/dnf-plugins
"""

# Debian points rpm at ~/.rpmdb, so that nobody takes it for the system's package manager; here
# it is that, and it keeps its database where RHEL 9 does.
_RPM_MACROS = "%_dbpath /var/lib/rpm\n"

# The rpm database of the tree knows nothing of what dpkg installed. This package stands in for
# the RHEL packages whose files are really there, with the versions that are there, and for
# system-release, from which dnf reads $releasever. It carries no file triggers: RHEL's systemd
# package reloads units and makes sysusers' accounts on its own, here a scriptlet has to.
_BASE_PACKAGE = """\
Name: test-host-base
Version: 9.0
Release: 1
Summary: Stands for the packages of a RHEL system on a test host
License: Apache-2.0
BuildArch: noarch
Provides: /bin/bash
Provides: /bin/sh
Provides: /usr/bin/bash
Provides: /usr/bin/env
Provides: /usr/bin/getent
Provides: /usr/bin/python3
Provides: /usr/bin/sh
Provides: /usr/bin/systemctl
Provides: /usr/sbin/groupadd
Provides: /usr/sbin/useradd
Provides: bash = 5.2.15
Provides: coreutils = 9.1
Provides: dnf = 4.14.0
Provides: group(root)
Provides: libpq = 15
Provides: libpq.so.5()(64bit)
Provides: postgresql = 15
Provides: postgresql-server = 15
Provides: python(abi) = 3.11
Provides: python3 = 3.11.2
Provides: python3-dnf = 4.14.0
Provides: python3-libs = 3.11.2
Provides: python3-psycopg2 = 2.9.5
Provides: python3-psycopg3 = 3.1.7
Provides: python3dist(psycopg) = 3.1.7
Provides: python3dist(psycopg2) = 2.9.5
Provides: rpm = 4.18.0
Provides: shadow-utils = 4.13
Provides: system-release = 9
Provides: system-release(releasever) = 9
Provides: systemd = 252
Provides: user(root)
Provides: util-linux = 2.38.1
%description
Stands for the packages of a RHEL system on a test host.
%files
"""

DEBIAN = Recipe(
    name="debian",
    packaging=Packaging.DEB,
    packages=_PACKAGES,
    files=_FILES,
    masked_units=_MASKED_UNITS,
    masked_generators=_MASKED_GENERATORS,
)

RPM = Recipe(
    name="rpm",
    packaging=Packaging.RPM,
    packages=(*_PACKAGES, "dnf", "rpm"),
    files=(
        *_FILES,
        TreeFile(path="etc/dnf/dnf.conf", text=_DNF_CONF),
        TreeFile(path="etc/rpm/macros", text=_RPM_MACROS),
    ),
    masked_units=_MASKED_UNITS,
    masked_generators=_MASKED_GENERATORS,
    base_package=_BASE_PACKAGE,
)

RECIPES = (DEBIAN, RPM)
