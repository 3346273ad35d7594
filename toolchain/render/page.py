"""The set-up page of a repository: the same steps as HTML and as text; pure."""

from dataclasses import dataclass

from toolchain.plan.client import ClientSetup
from toolchain.render.client import repo_text, sources_text
from toolchain.render.templates import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A client package as it is offered: its path below the repository, and SHA-256 in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page speaks of; a format without an offer is left out.

    `version` is that of the newest release in the first enabled channel, revision included.
    """

    setup: ClientSetup
    deb: Offer | None
    rpm: Offer | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A sentence and the commands that it announces."""

    sentence: str
    commands: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The steps for one family of systems: with the client package, and by hand."""

    anchor: str
    title: str
    steps: tuple[Step, ...]
    by_hand: tuple[Step, ...]


def page_html(page: Page, templates: Templates) -> str:
    """One file that needs no network, no script and no other file."""
    return templates.render(
        "common/repository/page.html.j2", page=page, ways=_ways(page, templates)
    )


def page_text(page: Page, templates: Templates) -> str:
    """The same for a terminal."""
    return templates.render("common/repository/page.txt.j2", page=page, ways=_ways(page, templates))


def _ways(page: Page, templates: Templates) -> tuple[Way, ...]:
    ways = []
    if page.deb is not None:
        ways.append(_apt(page, page.deb, templates))
    if page.rpm is not None:
        ways.append(_dnf(page, page.rpm, templates))
    return tuple(ways)


def _apt(page: Page, offer: Offer, templates: Templates) -> Way:
    setup, keyring = page.setup, page.setup.keyring_path
    name = offer.path.rpartition("/")[2]
    return Way(
        anchor="apt",
        title="Debian and Ubuntu",
        steps=(
            Step(
                sentence="Fetch the package with the address and the keys, and check it"
                " (if curl is missing: apt install curl).",
                commands=f"curl -fsSLO {setup.url}/{offer.path}\n"
                f"echo '{offer.sha256}  {name}' | sha256sum --check",
            ),
            Step(
                sentence="Once it says OK, install it.",
                commands=f"apt install ./{name}\napt update",
            ),
            *_install(page, "apt install {package}={version}", "apt install {package}"),
        ),
        by_hand=(
            Step(
                sentence="Fetch the keys, and compare the fingerprints with those above"
                " (gpg is in the package gnupg).",
                commands=f"curl -fsSL {setup.url}/keys/{setup.product}.gpg -o {keyring}\n"
                f"chmod 0644 {keyring}\n"
                f"gpg --show-keys --with-fingerprint {keyring}",
            ),
            Step(
                sentence="Say where the packages are.",
                commands=_written(
                    f"/etc/apt/sources.list.d/{setup.product}.sources",
                    sources_text(setup, templates),
                )
                + "\napt update",
            ),
        ),
    )


def _dnf(page: Page, offer: Offer, templates: Templates) -> Way:
    setup = page.setup
    key = f"RPM-GPG-KEY-{setup.product}"
    return Way(
        anchor="dnf",
        title="Red Hat Enterprise Linux, its relatives, and Fedora",
        steps=(
            Step(
                sentence="Fetch the keys, and compare the fingerprints with those above.",
                commands=f"curl -fsSL {setup.url}/keys/{setup.product}.asc -o {key}\n"
                f"gpg --show-keys --with-fingerprint {key}",
            ),
            Step(
                sentence="Once they are the same, trust them, and install the package with the"
                " address. Later dnf shows the fingerprint again and asks.",
                commands=f"rpm --import {key}\n"
                f"dnf install --setopt=localpkg_gpgcheck=1 {setup.url}/{offer.path}",
            ),
            *_install(page, "dnf install {package}-{version}", "dnf install {package}"),
        ),
        by_hand=(
            Step(
                sentence="Fetch the keys as above, and put them where the next file expects them.",
                commands=f"install -D -m 0644 {key} {setup.rpm_key_path}",
            ),
            Step(
                sentence="Say where the packages are. By hand dnf does not see an index that is"
                " expired or older than the last one; the package brings what does.",
                commands=_written(
                    f"/etc/yum.repos.d/{setup.product}.repo", repo_text(setup, templates)
                ),
            ),
        ),
    )


def _install(page: Page, exact: str, newest: str) -> tuple[Step, ...]:
    command = newest if page.version is None else exact
    servers, databases = (
        command.format(package=f"{page.setup.product}-{half}", version=page.version)
        for half in ("server", "database")
    )
    return (
        Step(sentence="On a host of the servers:", commands=servers),
        Step(sentence="On a host of a database:", commands=databases),
    )


def _written(path: str, text: str) -> str:
    """A command that writes a file; its text holds no line END."""
    return f"cat > {path} <<'END'\n{text}END"
