"""Real apt and dnf believe a published repository, and nobody who changes it on the way.

A web server shows the repository; an attack is a changed copy that it shows instead. A new client
has never seen the index; an old one has the genuine one, and goes on with that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.signing import gpg_home

from .commands import Result
from .forgery import FORGED, INDEX_ATTACKS, PACKAGE, TAMPERED_PACKAGE, Attack, Copy
from .host import Host
from .lab import Lab
from .layers import Layer
from .products import Packaged
from .recipes import DEBIAN, RPM, Packaging
from .samples import Sample, build
from .trust import Client, Site
from .web import served

SIMULATE = {
    Packaging.DEB: ("install", "--simulate", PACKAGE),
    Packaging.RPM: ("install", "--downloadonly", PACKAGE),
}

pytestmark = pytest.mark.xdist_group("trust")


@pytest.fixture(scope="module")
def apt_host(lab: Lab) -> Host:
    """A Debian host with what the set-up page's commands need."""
    layer = Layer(name="debian-curl", recipe=DEBIAN, packages=("ca-certificates", "curl", "gnupg"))
    return lab.host("apt1", layer=layer)


@pytest.fixture(scope="module")
def dnf_host(lab: Lab) -> Host:
    """An rpm host likewise."""
    layer = Layer(name="rpm-curl", recipe=RPM, packages=("ca-certificates", "curl"))
    return lab.host("dnf1", tree="rpm", layer=layer)


@pytest.fixture(scope="module")
def site(
    apt_host: Host, fleetdesk: Packaged, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A repository with two releases, served on the lab's network."""
    place = tmp_path_factory.mktemp("site")
    with gpg_home() as keys, served(apt_host, place / "shown", place / "requests") as url:
        own, other = keys.make("own"), keys.make("other")
        made = Site(
            place=place,
            shown=place / "shown",
            shelf=fleetdesk.directory,
            url=url,
            keys=keys,
            own=own,
            other=other,
        )
        packages = (*made.release("4.0.0"), *made.release("4.1.0"))
        made.publish("add", *packages, "--channel", "stable")
        made.show(made.repository)
        yield made


@pytest.fixture(scope="module")
def clients(site: Site, apt_host: Host, dnf_host: Host) -> dict[Packaging, Client]:
    """Hosts on which the set-up package has been installed."""
    made = {}
    for host in (apt_host, dnf_host):
        made[host.packaging] = Client(host=host)
        set_up(made[host.packaging], site)
    return made


def set_up(client: Client, site: Site) -> None:
    """Install the set-up package as a customer who has nothing of the product, but for the rest."""
    client.remove("fleetdesk-repository")
    client.forget()
    package = site.client_package(client.host.packaging)
    client.host.push(package, f"/srv/{package.name}")
    done = client.install(f"/srv/{package.name}")
    assert client.installed("fleetdesk-repository") is not None, done
    done = client.update()
    assert done.returncode == 0 or site.shown.resolve() != site.repository, done


@pytest.fixture(params=list(Packaging))
def client(
    request: pytest.FixtureRequest, clients: dict[Packaging, Client], site: Site
) -> Iterator[Client]:
    """Each client in turn, without any package of the product before and after the test."""
    one = clients[request.param]
    one.forget()
    yield one
    one.remove(PACKAGE, "fleetdesk-server")


def is_told(client: Client, attack: Attack, *answers: Result) -> bool:
    """Whether the client says what is wrong."""
    pattern = attack.apt if client.host.packaging is Packaging.DEB else attack.dnf
    return any(re.search(pattern, answer.output) for answer in answers)


@pytest.mark.parametrize("by_hand", [False, True], ids=["with-the-package", "by-hand"])
def test_the_commands_of_the_page_do_what_it_says(
    site: Site, client: Client, by_hand: bool
) -> None:
    client.remove("fleetdesk-repository")
    page = client.host.run("curl", "-fsSL", f"{site.url}/index.txt").stdout
    _, debian, red_hat = re.split(r"^# (?:Debian and|Red Hat).*\n# -+$", page, flags=re.MULTILINE)
    way = debian if client.host.packaging is Packaging.DEB else red_hat
    steps, hand = way.split("# Without that package, by hand:")
    if by_hand and client.host.packaging is Packaging.RPM:
        # "Fetch the keys as above".
        hand = steps.partition("# 2.")[0] + hand
    client.host.write("/srv/page.sh", hand if by_hand else steps)
    # Comments may stay in. apt and dnf ask before they install.
    done = client.host.run("sh", "-c", "yes | sh -ex /srv/page.sh 2>&1", check=False)
    if by_hand:
        done = client.install(client.at("fleetdesk-server", "4.1.0"), PACKAGE)
    assert client.installed("fleetdesk-server") == "4.1.0", done
    assert client.installed(PACKAGE) == "4.1.0", done
    client.remove(PACKAGE, "fleetdesk-server")
    for path in ("/etc/apt/sources.list.d/fleetdesk.sources", "/etc/yum.repos.d/fleetdesk.repo"):
        client.host.run("rm", "-f", path)
    set_up(client, site)


def test_a_new_customer_installs_from_it(client: Client) -> None:
    done = client.update()
    assert done.returncode == 0, done
    done = client.install(client.at(PACKAGE, "4.0.0"))
    assert client.installed(PACKAGE) == "4.0.0", done
    done = client.install(PACKAGE)
    assert client.installed(PACKAGE) == "4.1.0", done


@pytest.mark.parametrize("attack", INDEX_ATTACKS, ids=str)
def test_a_false_index_is_believed_by_no_client(site: Site, client: Client, attack: Attack) -> None:
    with site.attacked(attack.change):
        refused = client.update()
        done = client.install(PACKAGE)
        assert client.installed(PACKAGE) is None, done
        assert is_told(client, attack, refused, done), (refused, done)
    healed = client.update()
    assert healed.returncode == 0, healed
    assert "4.1.0" in client.offered(PACKAGE)

    with site.attacked(attack.change):
        client.update()
        assert FORGED not in client.offered(PACKAGE)
        client.install(PACKAGE)
        assert client.installed(PACKAGE) in {None, "4.1.0"}
    client.update()
    done = client.install(PACKAGE)
    assert client.installed(PACKAGE) == "4.1.0", done


def test_a_forged_index_is_whole_but_for_its_signature(site: Site, client: Client) -> None:
    # Otherwise the attacks above would prove nothing.
    (forgery,) = (one for one in INDEX_ATTACKS if one.name == "index-signed-by-another-key")
    with site.attacked(forgery.change):
        client.trust(site.keys, site.other)
        client.forget()
        told = client.update()
        assert FORGED in client.offered(PACKAGE), told
    client.trust(site.keys, site.own)


def test_a_changed_package_is_not_installed(site: Site, client: Client) -> None:
    with site.attacked(TAMPERED_PACKAGE.change):
        client.update()
        refused = client.install(PACKAGE)
        assert client.installed(PACKAGE) is None, refused
        assert is_told(client, TAMPERED_PACKAGE, refused), refused
    done = client.install(PACKAGE)
    assert client.installed(PACKAGE) == "4.1.0", done


def test_an_older_index_is_not_believed(site: Site, client: Client) -> None:
    with site.fork() as newer:
        newer.publish("add", *newer.release("4.1.1"), "--channel", "stable")
        client.update()
        assert "4.1.1" in client.offered(PACKAGE)
        # Genuine, signed and not expired; but there has been a newer one.
        site.show(site.repository)
        client.update()
        done = client.install(PACKAGE)
        match client.host.packaging:
            case Packaging.DEB:
                assert "4.1.1" in client.offered(PACKAGE)
            case Packaging.RPM:
                assert client.installed(PACKAGE) is None, done
                assert "is older than one seen before" in done.output, done
        newer.show(newer.repository)
        client.update()
        done = client.install(PACKAGE)
        assert client.installed(PACKAGE) == "4.1.1", done


def test_a_channel_is_asked_for(site: Site, client: Client) -> None:
    with site.fork() as fork:
        fork.publish("add", *fork.release("4.1.1"), "--channel", "candidate")
        client.update()
        assert "4.1.0" in client.offered(PACKAGE)
        assert "4.1.1" not in client.offered(PACKAGE)
        fork.publish("promote", "4.1.1", "--from", "candidate", "--channel", "stable")
        client.update()
        assert "4.1.1" in client.offered(PACKAGE)


def test_a_keyring_with_another_key_believes_nothing(site: Site, client: Client) -> None:
    client.trust(site.keys, site.other)
    refused = client.update()
    done = client.install(PACKAGE)
    client.trust(site.keys, site.own)
    assert client.installed(PACKAGE) is None, (refused, done)
    assert re.search("NO_PUBKEY|GPG", refused.output + done.output), (refused, done)
    done = client.update()
    assert done.returncode == 0, done


def test_a_key_that_has_expired_is_not_believed(site: Site, client: Client) -> None:
    past = ("--faked-system-time", f"{time.time() - 10 * 86400:.0f}")
    name, kind = f"past-{client}", ("ed25519", "sign", "5d")
    site.keys.gpg(*past, "--passphrase", "", "--quick-generate-key", name, *kind)
    listing = site.keys.gpg("--with-colons", "--list-keys", f"={name}").decode()
    key = re.findall(r"^fpr:+(\w+):", listing, re.MULTILINE)[0]

    def sign(copy: Copy) -> None:
        # While the key was valid, so that nothing but its end is wrong.
        in_time = replace(copy, signing=past)
        in_time.sign_apt(copy.release, key)
        in_time.sign_dnf(key)

    client.trust(site.keys, key)
    with site.attacked(sign):
        refused = client.update()
        done = client.install(PACKAGE)
    client.trust(site.keys, site.own)
    assert client.installed(PACKAGE) is None, (refused, done)
    assert re.search("EXPKEYSIG|GPG", refused.output + done.output), (refused, done)


def test_a_key_is_replaced(site: Site, client: Client) -> None:
    new = site.keys.make(f"new-{client}")
    with site.fork() as fork:
        client.update()
        fork.publish("refresh", keys=(site.own, new))
        assert client.update().returncode == 0
        done = client.install("fleetdesk-repository")
        fork.publish("refresh", keys=(new,))
        client.forget()
        told = client.update()
        assert told.returncode == 0, (done, told)
        done = client.install(client.at(PACKAGE, "4.0.0"))
        assert client.installed(PACKAGE) == "4.0.0", done

        # Another host has slept meanwhile: it knows the old key only, and believes nothing.
        client.remove(PACKAGE)
        set_up(client, site)
        told = client.update()
        done = client.install(PACKAGE)
        assert client.installed(PACKAGE) is None, (told, done)
        # Its operator installs the new set-up package over the old one, which dnf does once rpm
        # knows the key that has signed it.
        package = fork.client_package(client.host.packaging)
        client.host.push(package, f"/srv/{package.name}")
        over = client.install(f"/srv/{package.name}")
        if client.host.packaging is Packaging.RPM:
            assert "is not signed by a key that rpm knows" in over.output, over
            client.host.push(fork.repository / "keys/fleetdesk.asc", "/srv/fleetdesk.asc")
            client.host.run("rpm", "--import", "/srv/fleetdesk.asc")
            over = client.install(f"/srv/{package.name}")
        client.update()
        done = client.install(PACKAGE)
        assert client.installed(PACKAGE) == "4.1.0", (over, done)
    set_up(client, site)


def test_nobody_else_can_offer_the_product(site: Site, client: Client, tmp_path: Path) -> None:
    packaging = client.host.packaging
    build(Sample(name=PACKAGE, version=FORGED), packaging, tmp_path)
    sample = Sample(name="usurper", version="1.0", replaces=PACKAGE, provides=f"{PACKAGE}-also")
    build(sample, packaging, tmp_path)
    client.host.add_repository(tmp_path)
    client.update()
    assert FORGED in client.offered(PACKAGE)
    done = client.install(PACKAGE)
    assert client.installed(PACKAGE) == "4.1.0", done
    for command in ("upgrade", "dist-upgrade" if packaging is Packaging.DEB else "distro-sync"):
        done = client.manage(command)
        assert client.installed(PACKAGE) == "4.1.0", done
        assert client.installed("usurper") is None, done


def test_a_file_that_nobody_has_signed_is_not_installed_by_dnf(
    clients: dict[Packaging, Client], tmp_path: Path
) -> None:
    client = clients[Packaging.RPM]
    package = build(Sample(name=PACKAGE, version=FORGED), Packaging.RPM, tmp_path)
    client.host.push(package, f"/srv/{package.name}")
    refused = client.install(f"/srv/{package.name}")
    assert client.installed(PACKAGE) is None, refused
    assert refused.returncode != 0
    assert "is not signed" in refused.output


def test_clients_meet_no_half_state_while_it_is_published(
    site: Site, clients: dict[Packaging, Client]
) -> None:
    with site.fork() as fork, ThreadPoolExecutor(3) as executor:
        publishing = executor.submit(lambda: [fork.publish("refresh") for _ in range(20)])

        def ask(client: Client) -> list[Result]:
            answers = []
            while not publishing.done():
                answers += [client.update(), client.manage(*SIMULATE[client.host.packaging])]
            return answers

        asking = [executor.submit(ask, client) for client in clients.values()]
        publishing.result()
        for future in asking:
            answers = future.result()
            assert len(answers) > 20
            for answer in answers:
                assert answer.returncode == 0, answer
                assert not re.search("^(E|W|Err|Error|Failed)", answer.output, re.MULTILINE), answer
