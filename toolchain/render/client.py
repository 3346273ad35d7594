"""The client set-up package of a repository, as a deb's and as an rpm's contents; pure."""

from toolchain.model.release import Architecture, Format
from toolchain.plan.client import ClientSetup
from toolchain.plan.directories import own_directories
from toolchain.plan.entry import Directory, Entry, EntryKind, File
from toolchain.plan.package import ChangelogEntry, Package, Role
from toolchain.render.templates import Templates

_DESCRIPTION = """\
The address of {product}'s repository and the keys that sign it, for {tool}.
Whatever these keys did not sign is refused, and so is an index that is
older than it says it may be."""


def client_package(setup: ClientSetup, format_: Format, templates: Templates) -> Package:
    """The package for one format, its files rendered."""
    deb = format_ is Format.DEB
    entries = _deb_entries(setup, templates) if deb else _rpm_entries(setup, templates)
    return Package(
        product=setup.product,
        role=Role.REPOSITORY,
        name=setup.package,
        version=str(setup.serial),
        revision=1,
        architecture=Architecture.ALL,
        summary=f"{setup.summary} - repository",
        description=_DESCRIPTION.format(product=setup.product, tool="apt" if deb else "dnf"),
        maintainer=setup.maintainer,
        homepage=setup.homepage,
        licence=setup.licence,
        copyright=setup.copyright,
        protect=False,
        date=setup.date,
        relations=(),
        depends=dict.fromkeys(Format, ()),
        entries=tuple(entries + own_directories(entries)),
        changelog=(
            ChangelogEntry(
                version=f"{setup.serial}-1",
                date=setup.date,
                lines=(
                    f"Follow {setup.url}.",
                    *(f"Trust {key.fingerprint}." for key in setup.keys),
                ),
            ),
        ),
        dnf_plugin="" if deb else _plugin_path(setup),
    )


def _plugin_path(setup: ClientSetup) -> str:
    return f"/usr/lib/{setup.package}/dnf_plugin.py"


def sources_text(setup: ClientSetup, templates: Templates) -> str:
    """The deb822 file for /etc/apt/sources.list.d."""
    return templates.render("common/repository/sources.j2", setup=setup)


def repo_text(setup: ClientSetup, templates: Templates) -> str:
    """The file for /etc/yum.repos.d."""
    return templates.render("common/repository/repo.j2", setup=setup)


def _config(path: str, text: str) -> Entry:
    return File(path=path, content=text.encode(), kind=EntryKind.CONFIG)


def _deb_entries(setup: ClientSetup, templates: Templates) -> list[Entry]:
    preferences = templates.render("common/repository/preferences.j2", setup=setup)
    return [
        File(path=setup.keyring_path, content=setup.keyring),
        _config(f"/etc/apt/sources.list.d/{setup.product}.sources", sources_text(setup, templates)),
        _config(f"/etc/apt/preferences.d/{setup.product}.pref", preferences),
    ]


def _rpm_entries(setup: ClientSetup, templates: Templates) -> list[Entry]:
    repositories = [setup.repository_id(channel) for channel in setup.channels]
    plugin = templates.render(
        "rpm/freshness-plugin.j2", setup=setup, repositories=sorted(repositories)
    )
    return [
        File(path=setup.rpm_key_path, content=setup.key_blocks),
        _config(f"/etc/yum.repos.d/{setup.product}.repo", repo_text(setup, templates)),
        File(path=_plugin_path(setup), content=plugin.encode()),
        Directory(path=f"/var/lib/{setup.package}", mode=0o700),
    ]
