"""Real package managers on booted hosts take, refuse and remove packages as tests rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import Result
from .host import Host
from .recipes import Packaging
from .samples import Sample, build

UNIT = """\
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
PLUGIN = """\
import dnf
class Probe(dnf.Plugin):
    name = "probe"
    def resolved(self):
        print("probe saw", ",".join(p.name for p in self.base.transaction.install_set))
"""


def manage(host: Host, *arguments: str) -> Result:
    return host.apt(*arguments) if host.packaging is Packaging.DEB else host.dnf(*arguments)


def version(host: Host, upstream: str) -> str:
    return upstream if host.packaging is Packaging.DEB else f"{upstream}-1"


def test_install_upgrade_remove_with_a_service(client: Host, tmp_path: Path) -> None:
    service = "sample.service"
    for number in ("1.0", "1.1"):
        sample = Sample(
            name="sample",
            version=number,
            files=((f"/usr/lib/systemd/system/{service}", UNIT), ("/etc/sample.conf", number)),
            after_install=f"systemctl daemon-reload; systemctl restart {service}",
            before_removal=f'case "$1" in remove|0) systemctl stop {service};; esac',
        )
        package = build(sample, client.packaging, tmp_path)
        client.push(package, f"/srv/{package.name}")
        done = manage(client, "install", f"/srv/{package.name}")
        assert client.installed("sample") == version(client, number), done
        assert client.run("systemctl", "is-active", service).stdout == "active\n"
    manage(client, "remove", "sample")
    assert client.installed("sample") is None
    assert client.run("systemctl", "is-active", service, check=False).stdout == "inactive\n"


def test_a_versioned_conflict_with_a_versioned_provide_is_refused(
    client: Host, tmp_path: Path
) -> None:
    deb = client.packaging is Packaging.DEB

    def database(schema: int) -> Sample:
        provides = f"pair-schema (= {schema})" if deb else f"pair-schema = {schema}"
        number = f"{schema}.0"
        return Sample(name="pair-database", version=number, provides=provides, protected=True)

    def server(number: str, oldest: int) -> Sample:
        conflicts = f"pair-schema (<< {oldest})" if deb else f"pair-schema < {oldest}"
        return Sample(name="pair-server", version=number, conflicts=conflicts)

    first, second = tmp_path / "first", tmp_path / "second"
    for sample in (database(12), server("4.0", 12)):
        build(sample, client.packaging, first)
    client.add_repository(first)
    manage(client, "install", "pair-server", "pair-database")
    assert client.installed("pair-server") == version(client, "4.0")
    assert client.installed("pair-database") == version(client, "12.0")

    build(server("5.0", 13), client.packaging, second)
    client.add_repository(second)
    refused = manage(client, "install", *(("pair-server=5.0",) if deb else ("pair-server-5.0",)))
    assert client.installed("pair-server") == version(client, "4.0"), refused
    assert client.installed("pair-database") == version(client, "12.0"), refused
    assert refused.returncode != 0
    assert "pair-schema" in refused.output

    build(database(13), client.packaging, second)
    client.add_repository(second)
    manage(client, "install", "pair-server", "pair-database")
    assert client.installed("pair-server") == version(client, "5.0")
    assert client.installed("pair-database") == version(client, "13.0")


@pytest.mark.parametrize("python", ["python3/dist-packages", "python3.9/site-packages"])
def test_dnf_loads_plugins_and_obeys_protection(
    dnf_host: Host, tmp_path: Path, python: str
) -> None:
    plugin = f"/usr/lib/{python}/dnf-plugins/probe.py"
    dnf_host.write(plugin, PLUGIN)
    build(Sample(name="guarded", version="1.0", protected=True), Packaging.RPM, tmp_path)
    dnf_host.add_repository(tmp_path)
    assert "probe saw guarded" in dnf_host.dnf("install", "guarded").stdout
    dnf_host.dnf("remove", "guarded")
    assert dnf_host.installed("guarded") == "1.0-1"
    dnf_host.run("rpm", "--erase", "guarded")
    dnf_host.run("rm", plugin)


def test_dnf_finds_what_a_server_requires(dnf_host: Host, tmp_path: Path) -> None:
    tools = "/bin/sh, python3 >= 3.9, python3-psycopg2, postgresql, systemd >= 239, shadow-utils"
    needs = f"{tools}, system-release(releasever) = 9, user(root)"
    needy = Sample(name="needy", version="1.0", requires=needs)
    dnf_host.push(build(needy, Packaging.RPM, tmp_path), "/srv/needy.rpm")
    done = dnf_host.dnf("install", "/srv/needy.rpm")
    assert dnf_host.installed("needy") == "1.0-1", done
