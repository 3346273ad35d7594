"""The tools by which customers upgrade many hosts, each as the command that it is on one host."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .layers import Layer
from .recipes import DEBIAN, RPM, Packaging

LAYERS: Mapping[Packaging, Layer] = {
    Packaging.DEB: Layer(
        name="debian-tools",
        recipe=DEBIAN,
        packages=("ansible-core", "needrestart", "puppet-agent", "unattended-upgrades"),
        masked_units=("puppet.service",),
    ),
    Packaging.RPM: Layer(
        name="rpm-tools",
        recipe=RPM,
        # With the versionlock that RHEL has in python3-dnf-plugin-versionlock.
        packages=("ansible-core", "dnf-plugins-core", "puppet-agent"),
        masked_units=("puppet.service",),
    ),
}
# What RHEL's /usr/bin/dnf-automatic is; Debian's dnf has the module without the command.
DNF_AUTOMATIC = (
    *("python3", "-c", "import sys, dnf.automatic.main as m; sys.exit(m.main(sys.argv[1:]))"),
    *("/etc/dnf/automatic.conf", "--installupdates"),
)
UNATTENDED_UPGRADES = ("unattended-upgrade", "--verbose")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How a tool brings a package (its first argument) to a version (the second)."""

    name: str
    packaging: Packaging
    pinned: Callable[[str, str], Words]
    newest: Callable[[str, str], Words]
    refused: int

    def __str__(self) -> str:
        return f"{self.name}-{self.packaging}"


def puppet(package: str, ensure: str, more: str = "") -> Words:
    """Describe a run of Puppet for one package."""
    return _puppet(f"package {{ '{package}': ensure => '{ensure}'{more} }}")


def puppet_module(name: str, packaging: Packaging) -> Words:
    """Describe a run of Puppet for a module of the host's own."""
    provider = f"Package {{ {_PUPPET_DNF} }} " if packaging is Packaging.RPM else ""
    return _puppet(f"{provider}include {name}")


def _puppet(manifest: str) -> Words:
    """Describe a run whose exit status tells failures (4) from changes (2)."""
    return ("puppet", "apply", "--color=false", "--detailed-exitcodes", "--execute", manifest)


def ansible(module: str, arguments: str) -> Words:
    """Describe one task of a play on the host itself; its exit status is 2 when it failed."""
    where = ("localhost", "--connection=local", "--inventory=localhost,")
    return ("ansible", *where, f"--module-name=ansible.builtin.{module}", f"--args={arguments}")


def play(module: str, tasks: Sequence[str], after: str) -> str:
    """Write a play that goes on whatever fails, and runs the command `after` each task."""
    words = [
        step
        for arguments in tasks
        for step in (
            {f"ansible.builtin.{module}": arguments, "ignore_errors": True},
            {"ansible.builtin.shell": after},
        )
    ]
    return json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": words}])


def chef_apt(package: str, version: str) -> Words:
    """Describe what Chef's apt_package runs (its lib/chef/provider/package/apt.rb)."""
    keep = (
        word
        for choice in ("def", "old")
        for word in ("-o", f"Dpkg::Options::=--force-conf{choice}")
    )
    return ("apt-get", "-q", "-y", "--allow-downgrades", *keep, "install", f"{package}={version}")


def chef_dnf(package: str, version: str) -> Words:
    """Describe what Chef's dnf_package runs (its lib/chef/provider/package/dnf.rb)."""
    return ("dnf", "-y", "install", f"{package}-0:{version}.noarch")


# On RHEL Puppet takes its dnf provider by itself.
_PUPPET_DNF = "provider => 'dnf'"

TOOLS = (
    Tool(
        name="puppet",
        packaging=Packaging.DEB,
        pinned=puppet,
        newest=lambda package, _: puppet(package, "latest"),
        refused=4,
    ),
    Tool(
        name="ansible",
        packaging=Packaging.DEB,
        pinned=lambda package, version: ansible("apt", f"name={package}={version}"),
        newest=lambda package, _: ansible("apt", f"name={package} state=latest"),
        refused=2,
    ),
    Tool(
        name="chef-command", packaging=Packaging.DEB, pinned=chef_apt, newest=chef_apt, refused=100
    ),
    Tool(
        name="puppet",
        packaging=Packaging.RPM,
        pinned=lambda package, version: puppet(package, version, f", {_PUPPET_DNF}"),
        newest=lambda package, _: puppet(package, "latest", f", {_PUPPET_DNF}"),
        refused=4,
    ),
    Tool(
        name="ansible",
        packaging=Packaging.RPM,
        pinned=lambda package, version: ansible("dnf", f"name={package}-{version}"),
        newest=lambda package, _: ansible("dnf", f"name={package} state=latest"),
        refused=2,
    ),
    Tool(name="chef-command", packaging=Packaging.RPM, pinned=chef_dnf, newest=chef_dnf, refused=1),
)

# What Ansible can be told beside a version that people reach for when a run fails.
BOLD: Mapping[Packaging, Words] = {
    Packaging.DEB: (
        "name=fleetdesk-server=4.1.0-1 force=yes",
        "name=fleetdesk-server=4.1.0-1 allow_change_held_packages=yes",
        "name=fleetdesk-server=3.9.0-1 allow_downgrade=yes",
        "name=fleetdesk-server,fleetdesk-database state=latest",
        "name=fleetdesk-shard-south state=absent",
        "name=fleetdesk-shard-south state=absent force=yes",
        "deb=/srv/repo/fleetdesk-server_4.1.0-1_all.deb",
        "deb=/srv/repo/fleetdesk-server_4.1.0-1_all.deb force=yes",
        "upgrade=safe",
        "upgrade=dist force=yes",
        "autoremove=yes",
    ),
    Packaging.RPM: (
        "name=fleetdesk-server-4.1.0 allowerasing=yes",
        "name=fleetdesk-server-3.9.0 allow_downgrade=yes allowerasing=yes",
        "name=fleetdesk-server,fleetdesk-database state=latest allowerasing=yes",
        "name=fleetdesk-shard-south state=absent",
        "name=/srv/repo/fleetdesk-server-4.1.0-1.noarch.rpm allowerasing=yes disable_gpg_check=yes",
        "name=* state=latest allowerasing=yes",
        "name=* state=latest nobest=yes",
        "name=fleetdesk-server state=latest skip_broken=yes",
        "autoremove=yes",
    ),
}
