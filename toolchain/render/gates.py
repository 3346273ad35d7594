"""The transaction hook of a server package: what apt and dnf call before they change anything."""

from toolchain.model.release import Format
from toolchain.plan.entry import Entry, EntryKind, File
from toolchain.plan.package import Package
from toolchain.render.templates import Templates

_ACTIONS = "/etc/dnf/libdnf5-plugins/actions.d"


def transaction_hook(package: Package, templates: Templates, format_: Format) -> tuple[Entry, ...]:
    """The hook's files for one format; empty where no service is checked at its start."""
    if not package.services:
        return ()
    library = f"/usr/lib/{package.name}"
    plain, config = EntryKind.PLAIN, EntryKind.CONFIG
    files = [("common/ask-hook.j2", f"{library}/ask-hook", 0o755, plain)]
    match format_:
        case Format.DEB:
            files += [
                ("deb/apt-hook.j2", f"{library}/apt-hook", 0o755, plain),
                ("deb/apt-conf.j2", f"/etc/apt/apt.conf.d/60{package.name}", 0o644, config),
            ]
        case Format.RPM:
            files += [
                ("rpm/dnf-plugin.j2", package.dnf_plugin, 0o644, plain),
                ("rpm/dnf5-hook.j2", f"{library}/dnf5-hook", 0o755, plain),
                ("rpm/dnf5-actions.j2", f"{_ACTIONS}/{package.name}.actions", 0o644, config),
            ]
    return tuple(
        File(
            path=path,
            content=templates.render(template, package=package).encode(),
            mode=mode,
            kind=kind,
        )
        for template, path, mode, kind in files
    )
