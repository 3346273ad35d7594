"""Which directories a package owns: those of its files that no base system brings."""

from collections.abc import Sequence

from toolchain.plan.entry import Directory, Entry

# Directories of the base system: never a package's own.
_SHARED = frozenset(
    {
        *("", "/etc", "/etc/cron.d", "/etc/default", "/etc/logrotate.d", "/opt", "/srv"),
        *("/etc/dnf", "/etc/dnf/protected.d", "/etc/yum.repos.d", "/etc/pki", "/etc/pki/rpm-gpg"),
        *(
            "/etc/apt",
            "/etc/apt/apt.conf.d",
            "/etc/apt/sources.list.d",
            "/etc/apt/preferences.d",
            "/usr/share/keyrings",
        ),
        *("/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec"),
        *("/usr/share", "/usr/share/doc", "/usr/share/licenses", "/usr/share/man"),
        *("/usr/share/lintian", "/usr/share/lintian/overrides"),
        *("/usr/share/bash-completion", "/usr/share/bash-completion/completions"),
        *(
            "/usr/lib/systemd",
            "/usr/lib/systemd/system",
            "/usr/lib/systemd/system/timers.target.wants",
        ),
        *("/usr/lib/sysusers.d", "/usr/lib/tmpfiles.d"),
        *("/var", "/var/lib", "/var/cache", "/var/log", "/var/spool"),
    }
)


def _is_shared(directory: str) -> bool:
    return directory in _SHARED or directory.startswith("/usr/share/man/")


def own_directories(entries: Sequence[Entry]) -> list[Entry]:
    """The parents of the entries that no base system brings, each once."""
    present = {entry.path for entry in entries if isinstance(entry, Directory)}
    needed: set[str] = set()
    for entry in entries:
        parent = entry.path.rpartition("/")[0]
        while parent not in needed and not _is_shared(parent):
            needed.add(parent)
            parent = parent.rpartition("/")[0]
    return [Directory(path=path) for path in sorted(needed - present)]
