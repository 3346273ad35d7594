"""Checks of the places that a package installs to: its own, and never the system's."""

from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.values.paths import absolute, below
from toolchain.spec.wording import show

_PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/opt")
_FILES = (*_PROGRAMS, "/usr/share", "/usr/include")

# Links to /usr on every system with a merged /usr: a package that installs through one of them
# breaks dpkg's records (Debian Policy 10.1; CVE-2017-7500 is rpm following such a link).
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

# Why a place is refused, and where the thing belongs instead.
_REASONS = {
    "/etc": ("holds configuration", "list the file under 'config'"),
    "/home": ("belongs to people", "install below /usr or /opt"),
    "/root": ("belongs to root", "install below /usr or /opt"),
    "/tmp": ("is emptied at any time", "install below /usr or /opt"),  # noqa: S108
    "/run": ("is emptied at every start", "list the directory under 'directories'"),
    "/dev": ("belongs to the kernel", "install below /usr or /opt"),
    "/proc": ("belongs to the kernel", "install below /usr or /opt"),
    "/sys": ("belongs to the kernel", "install below /usr or /opt"),
    "/boot": ("belongs to the boot loader", "install below /usr or /opt"),
    "/usr/local": ("belongs to the administrator (Debian Policy 9.1.2)", "install below /usr"),
    "/var": ("holds what programs write", "list the directory under 'directories'"),
    "/srv": ("belongs to the administrator", "list the directory under 'directories'"),
}

_SYSTEM_FILES = (
    "passwd passwd- shadow shadow- group group- gshadow gshadow- subuid subgid sudoers hosts "
    "hostname fstab crypttab resolv.conf nsswitch.conf login.defs ld.so.conf ld.so.preload "
    "ld.so.cache environment profile bash.bashrc bashrc shells securetty machine-id mtab localtime "
    "os-release debian_version redhat-release issue motd inittab crontab anacrontab sysctl.conf "
    "networks protocols services adjtime rc.local"
)
_SYSTEM_DIRECTORIES = tuple(
    f"/etc/{name}"
    for name in (
        "sudoers.d", "ssh", "pam.d", "security", "ssl", "pki", "alternatives", "systemd", "init.d",
        "apt", "dpkg", "yum", "yum.repos.d", "dnf", "rpm", "selinux", "polkit-1", "interlock",
        "skel", "modprobe.d", "modules-load.d", "udev", "ld.so.conf.d", "network", "netplan",
    )
)  # fmt: skip


def _refuse_common(text: str) -> None:
    absolute(text)
    for directory in _MERGED:
        if text == directory or text.startswith(f"{directory}/"):
            raise Complaint(
                Code.TARGET,
                f"{directory} is a symbolic link on current systems",
                f"write {'/usr' + text if len(text) < 200 else '/usr' + directory}",
            )
    if any(character in text for character in "\"\\'`$"):
        # Unit files, sysusers and maintainer scripts name targets; none of them needs these.
        raise Complaint(
            Code.TARGET,
            f"{show(text)} holds a quote, a backslash or a dollar sign",
            "rename the target",
        )


def _refuse(text: str, allowed: tuple[str, ...]) -> None:
    _refuse_common(text)
    for directory, (reason, cure) in _REASONS.items():
        if text == directory or text.startswith(f"{directory}/"):
            raise Complaint(Code.TARGET, f"{directory} {reason}", cure)
    if not below(text, allowed):
        raise Complaint(
            Code.TARGET,
            f"{show(text)} is not a place for a package's files",
            f"write a path below one of {', '.join(allowed)}",
        )


def program(text: str) -> None:
    """Where a binary may be installed."""
    _refuse(text, _PROGRAMS)


def file(text: str) -> None:
    """Where any other file, or a directory of them, may be installed."""
    _refuse(text, _FILES)


def config(text: str) -> None:
    """Where a configuration file may be installed: in /etc, and over none of the system's own."""
    _refuse_common(text)
    if not below(text, ("/etc",)):
        raise Complaint(
            Code.TARGET,
            f"the configuration file {show(text)} is not below /etc",
            "install it there, or list it under 'files' when nobody edits it",
        )
    name = text.removeprefix("/etc/")
    if name in _SYSTEM_FILES.split() or any(
        text == directory or text.startswith(f"{directory}/") for directory in _SYSTEM_DIRECTORIES
    ):
        raise Complaint(
            Code.TARGET,
            f"{show(text)} belongs to the system",
            "install a file of the product's own, below /etc/PRODUCT",
        )
