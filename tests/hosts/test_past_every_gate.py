"""Without the gates illegal servers are installed; past all of them none of these starts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from toolchain.model.version import Version

from .products import Pair
from .recipes import Packaging
from .services import shards_file
from .table.commands import Kind
from .table.fleet import Fleet, Stop
from .table.middle import nearest, on_middle
from .table.reasons import unfit
from .table.rows import Outcome, Row, Speaker
from .table.site import Site


def test_without_gates_illegal_servers_are_installed_and_do_not_start(desk_fleet: Fleet) -> None:
    """What the tables show is the gates' work: the same commands reach illegal states without."""

    def work(site: Site, stop: Stop, installed: Version) -> Sequence[Row]:
        file = shards_file(site.customer.server)
        match site.packaging:
            case Packaging.DEB:
                kind, bold = bare("apt-get -y --allow-downgrades install {wanted}")
            case Packaging.RPM:
                kind, bold = bare("dnf -y --allowerasing install {wanted}")
        rows = []
        for target in nearest(site, stop, installed):
            with site.overridden():
                # The package's own script asks the shards, too, if it knows any.
                site.host.run("mv", file, f"{file}.away")
                done = site.customer.install(Pair(server=target), bold)
                assert site.customer.pair() == Pair(server=target), done
                site.host.run("mv", "--force", f"{file}.away", file)
            told = refusal_at_start(site, stop, target)
            rows.append(stopped(site, stop, installed, target, kind, told, gates="none"))
        return rows

    assert on_middle(desk_fleet, "no-gate", work).rows


@pytest.mark.parametrize("direction", ["newer", "older"])
def test_past_everything_the_check_at_the_start_holds(desk_fleet: Fleet, direction: str) -> None:
    """Packages are forced in while no shard can be asked, with all other gates in place."""

    def work(site: Site, stop: Stop, installed: Version) -> Sequence[Row]:
        site.meet(stop.situation)
        illegal = [version for version in site.packaged.versions if version not in stop.legal]
        beyond = [version for version in illegal if (version > installed) == (direction == "newer")]
        target = beyond[0 if direction == "newer" else -1]
        match site.packaging:
            case Packaging.DEB:
                command: tuple[str, ...] = ("dpkg", "--force-all", "--install")
            case Packaging.RPM:
                command = ("rpm", "--upgrade", "--oldpackage", "--nodeps")
        refused = site.host.run(*command, site.file(target), check=False)
        assert site.customer.pair() == Pair(server=installed), refused
        assert "does not fit shard" in refused.output
        site.host.cut()
        forced = site.host.run(*command, site.file(target), check=False)
        site.host.join()
        assert site.customer.pair() == Pair(server=target), forced
        told = refusal_at_start(site, stop, target)
        kind = Kind(words=(*command, "{file}"), title=f"{' '.join(command)} {{file}}, no network")
        return [stopped(site, stop, installed, target, kind, told, gates="past everything")]

    assert on_middle(desk_fleet, f"past-everything-{direction}", work).rows


def bare(words: str) -> tuple[Kind, str]:
    """A command that is bold enough for a downgrade, and the option that makes it so."""
    kind = Kind(words=tuple(words.split()))
    return kind, kind.words[2]


def refusal_at_start(site: Site, stop: Stop, version: Version) -> str:
    """What the journal says of an illegal server's service, which does not start."""
    service = site.packaged.product.release(version).server.services[0].name
    site.host.run("systemctl", "daemon-reload")
    started = site.host.run("systemctl", "start", service, check=False)
    state = site.host.run("systemctl", "is-active", service, check=False).stdout.strip()
    site.host.run("systemctl", "stop", service)
    site.host.run("journalctl", "--sync")
    told = site.host.run("journalctl", "--unit", service, "--output=cat").stdout
    assert started.returncode != 0, told
    assert state in ("activating", "failed"), told
    reasons = (f"{version} does not fit shard {name}" for name in wrong_shards(site, stop, version))
    lines = [line for reason in reasons for line in told.splitlines() if reason in line]
    assert lines, told
    return lines[-1]


def wrong_shards(site: Site, stop: Stop, version: Version) -> tuple[str, ...]:
    return unfit(stop.situation, site.packaged, version)


def stopped(
    site: Site,
    stop: Stop,
    installed: Version,
    target: Version,
    kind: Kind,
    told: str,
    *,
    gates: str,
) -> Row:
    """The row of a server that is installed against the law and was refused at its start."""
    return Row(
        gates=gates,
        situation=stop.situation,
        installed=installed,
        kind=kind,
        command=kind.name,
        target=target,
        outcome=Outcome.STOPPED,
        after={site.customer.server: site.full(target)},
        speaker=Speaker.START,
        sentence=told,
        shards_named=wrong_shards(site, stop, target),
        output=told,
    )
