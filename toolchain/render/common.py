"""Files that both formats carry and that are written, not copied: units, users, directories."""

from toolchain.plan.entry import Entry, File, Link
from toolchain.plan.package import Package, Role
from toolchain.render.island import RunnerFiles, island, shards_group
from toolchain.render.templates import Templates


def generated(package: Package, templates: Templates, files: RunnerFiles) -> tuple[Entry, ...]:
    """What Interlock adds to the payload: units, sysusers.d, tmpfiles.d, and the runner."""
    entries: list[Entry] = list(island(package, templates, files))
    for service, command in package.commands:
        for template, name in (
            ("service", service.name),
            ("registration", f"{service.name}-registration"),
        ):
            text = templates.render(
                f"common/{template}.j2",
                package=package,
                service=service,
                command=command,
                shards_group=shards_group(package),
            )
            path = f"/usr/lib/systemd/system/{name}.service"
            entries.append(File(path=path, content=text.encode()))
    if package.role is Role.SERVER and package.services:
        entries += _agent(package, templates)
    if package.users:
        path = f"/usr/lib/sysusers.d/{package.name}.conf"
        entries.append(File(path=path, content=sysusers(package, templates).encode()))
    if package.state:
        text = templates.render("common/tmpfiles.j2", package=package)
        path = f"/usr/lib/tmpfiles.d/{package.name}.conf"
        entries.append(File(path=path, content=text.encode()))
    return tuple(entries)


def _agent(package: Package, templates: Templates) -> tuple[Entry, ...]:
    """The shard agent's units; the timer is wanted for good, as no preset should forget it."""
    units, name = "/usr/lib/systemd/system", f"{package.name}-shards"
    return (
        *(
            File(
                path=f"{units}/{name}.{kind}",
                content=templates.render(f"common/shards-{kind}.j2", package=package).encode(),
            )
            for kind in ("service", "timer")
        ),
        Link(path=f"{units}/timers.target.wants/{name}.timer", to=f"../{name}.timer"),
    )


def sysusers(package: Package, templates: Templates) -> str:
    """The package's sysusers.d(5) lines."""
    return templates.render("common/sysusers.j2", package=package)


def restart(package: Package, templates: Templates, command: str) -> str:
    """The shell function that restarts what runs, by the format's own command."""
    return templates.render("common/restart.j2", package=package, restart_command=command)
