"""A pair's whole life on one host: from release to release while the service runs, back, and gone."""

from __future__ import annotations

import secrets

from toolchain.model.version import Version

from .commands import Result
from .host import Host
from .products import Customer, Pair
from .recipes import Packaging
from .services import (
    FLEETDESK,
    WEB,
    WORKER,
    apply,
    assert_fleetdesk_works,
    main_processes,
    new_shard,
    set_up_fleetdesk,
    states,
)

# A system user outlives its package, as Debian and Fedora advise: files may still be its own.
PLUGINS = "/usr/lib/python3/dist-packages/dnf-plugins"
ACCOUNTS = {
    f"/etc/{name}{backup}"
    for name in ("passwd", "group", "shadow", "gshadow")
    for backup in ("", "-")
}


def start(customer: Customer, pair: Pair) -> dict[str, str]:
    """Install a pair and run it on a new shard; returns the configuration that was edited."""
    done = customer.install(pair)
    assert customer.pair() == pair, done
    dsn = new_shard(customer.host, f"shard_{secrets.token_hex(4)}")
    edited = set_up_fleetdesk(customer, dsn)
    apply(customer)
    customer.host.run("systemctl", "restart", *FLEETDESK)
    return edited


def content(host: Host, paths: dict[str, str]) -> dict[str, str]:
    return {path: host.read(path) for path in paths}


def install_without_answers(customer: Customer, pair: Pair) -> Result:
    """Install with nobody there who could say which configuration to keep."""
    if customer.host.packaging is Packaging.RPM:
        return customer.install(pair)
    return customer.host.run("apt-get", "-y", "install", *customer.words(pair), check=False)


def files(host: Host) -> set[str]:
    """Everything on the disk with its kind, mode, owners, size and link, but for what is living."""
    living = (
        *("/var/log", "/var/cache", "/var/tmp", "/var/lib/postgresql", "/etc/postgresql"),
        *(f"/var/lib/{name}" for name in ("dpkg", "apt", "rpm", "dnf")),
    )
    prune = [word for path in living for word in ("-path", path, "-prune", "-o")]
    form = ("-printf", r"%p %y %m %u %g", "-not", "-type", "d", "-printf", r" %s %l", "-o", "-true")
    find = ("find", "/", "-xdev", *prune, "(", *form, ")", "-printf", r"\n")
    return set(host.run(*find).stdout.splitlines())


def test_from_the_first_release_to_the_last_and_back(newcomer: Customer) -> None:
    host, deb = newcomer.host, newcomer.host.packaging is Packaging.DEB
    clean, accounts = files(host), host.read("/etc/passwd").splitlines()
    first, *later = newcomer.packaged.versions
    edited = start(newcomer, Pair(server=first, database=first))
    assert_fleetdesk_works(host, first)

    before = first
    for version in later:
        processes = main_processes(host, *FLEETDESK)
        done = install_without_answers(newcomer, Pair(database=version))
        assert newcomer.pair() == Pair(server=before, database=version), done
        apply(newcomer)
        assert main_processes(host, *FLEETDESK) == processes, (
            f"the database {version} restarted a service"
        )
        assert_fleetdesk_works(host, before)

        done = install_without_answers(newcomer, Pair(server=version))
        assert newcomer.pair() == Pair(server=version, database=version), done
        assert newcomer.damage() == ""
        assert set(main_processes(host, *FLEETDESK)).isdisjoint(processes), (
            f"{version} restarted nothing"
        )
        assert_fleetdesk_works(host, version)
        assert content(host, edited) == edited
        before = version

    processes = main_processes(host, *FLEETDESK)
    back = Version.parse("4.2.0")
    options = ("--allow-downgrades",) if deb else ()
    done = newcomer.install(Pair(server=back), *options)
    assert newcomer.pair() == Pair(server=back, database=before), done
    assert set(main_processes(host, *FLEETDESK)).isdisjoint(processes)
    assert_fleetdesk_works(host, back)
    assert content(host, edited) == edited

    remove(newcomer)
    if deb:
        assert content(host, edited) == edited, "a removal alone keeps the configuration"
    newcomer.purge()
    gone, left = clean - files(host), files(host) - clean
    assert {line.split()[0] for line in gone} <= ACCOUNTS
    left = {line for line in left if line.split()[0] not in ACCOUNTS}
    if deb:
        assert left == set()
    else:
        # rpm knows no purge: it renames what was edited, and the product's own state stays.
        assert {line.split()[0] for line in left} == {
            *(f"{path}.rpmsave" for path in edited),
            *(path.rpartition("/")[0] for path in edited),
            *("/var/lib/fleetdesk", "/usr/share/licenses", "/usr/share/man/man8"),
            # RHEL's dnf brings the directory of its plugins, Debian's does not.
            *(PLUGINS, f"{PLUGINS}/__pycache__"),
        }
    users = host.read("/etc/passwd").splitlines()
    assert [line.partition(":")[0] for line in users if line not in accounts] == ["fleetdesk"]


def remove(customer: Customer) -> None:
    """Remove both packages, which takes an option, and both services with them."""
    host, before = customer.host, customer.pair()
    host.run(customer.server, "sync", "--remove")
    match host.packaging:
        case Packaging.DEB:
            option = "--allow-remove-essential"
            told = f"-y was used without {option}"
        case Packaging.RPM:
            option = "--setopt=protected_packages="
            told = "would result in removing the following protected packages: {}"
    for name in (customer.server, customer.database):
        refused = customer.manage("remove", name)
        assert customer.pair() == before, refused
        assert refused.returncode != 0
        assert told.format(name) in refused.output
    done = customer.manage("remove", option, customer.server, customer.database)
    assert customer.pair() == Pair(), done
    assert states(host, "is-active", *FLEETDESK) == ("inactive", "inactive")
    assert host.failed_units == ()


def test_what_the_operator_has_stopped_stays_so(newcomer: Customer) -> None:
    host, newest = newcomer.host, newcomer.packaged.versions[-1]
    start(newcomer, Pair(server=Version.parse("4.1.0"), database=newest))
    assert states(host, "is-enabled", *FLEETDESK) == ("enabled", "enabled")

    def upgraded(version: str, enabled: tuple[str, str], active: tuple[str, str]) -> None:
        done = newcomer.install(Pair(server=Version.parse(version)))
        assert newcomer.pair() == Pair(server=Version.parse(version), database=newest), done
        assert (states(host, "is-enabled", *FLEETDESK), states(host, "is-active", *FLEETDESK)) == (
            enabled,
            active,
        ), done

    host.run("systemctl", "disable", *FLEETDESK)
    host.run("systemctl", "stop", WORKER)
    upgraded("4.1.1", ("disabled", "disabled"), ("active", "inactive"))

    host.run("systemctl", "mask", "--now", WEB)
    upgraded("4.2.0", ("masked", "disabled"), ("inactive", "inactive"))

    host.run("systemctl", "unmask", WEB)
    host.run("systemctl", "enable", *FLEETDESK)
    upgraded("4.3.0", ("enabled", "enabled"), ("inactive", "inactive"))

    host.run("systemctl", "start", *FLEETDESK)
    assert_fleetdesk_works(host, newest)
    newcomer.wipe()


def test_both_halves_in_one_run_while_the_shard_waits_for_its_phases(newcomer: Customer) -> None:
    host = newcomer.host
    old, new = Version.parse("4.0.0"), Version.parse("4.1.0")
    start(newcomer, Pair(server=old, database=old))
    processes = main_processes(host, *FLEETDESK)

    refused = newcomer.install(Pair(server=new, database=new))
    assert refused.returncode != 0, refused
    assert "fleetdesk-shard-north" in refused.output
    assert newcomer.pair() == Pair(server=old, database=old)
    assert newcomer.damage() == ""
    assert main_processes(host, *FLEETDESK) == processes
    assert_fleetdesk_works(host, old)

    newcomer.install(Pair(database=new))
    apply(newcomer)
    newcomer.install(Pair(server=new))
    assert newcomer.pair() == Pair(server=new, database=new)
    assert_fleetdesk_works(host, new)
    newcomer.wipe()
