"""Where everything stands in a repository, and which names may stand there."""

import re

from toolchain.model.carried import PackageFile
from toolchain.model.release import Format

STATE = ".interlock"
_CHANNEL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# Names of directories beside those of the channels.
_TAKEN = frozenset({"packages", "states"})
_PART = {
    # Debian Policy 5.6.1, 5.6.12 and 11.1; no slash, blank or control character in either format.
    Format.DEB: (r"[a-z0-9][a-z0-9+.-]+", r"[A-Za-z0-9.+~:-]+", r"[a-z0-9-]+"),
    Format.RPM: (r"[A-Za-z0-9][A-Za-z0-9+._-]*", r"[A-Za-z0-9.+~^:_-]+", r"[a-z0-9_]+"),
}


def require_channel(name: str) -> str:
    """The name of a channel, which is a suite's and a directory's; raises ValueError."""
    if len(name) > 40 or _CHANNEL.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a channel: write a word such as stable")
    if name in _TAKEN:
        raise ValueError(f"a channel can't be called {name}: that is a directory of the repository")
    return name


def package_name(file: PackageFile) -> str:
    """The file name that a package has by what it says of itself; raises ValueError.

    Whatever the file was called that it came in, a newline or a slash never gets further.
    """
    identity = (file.name, file.version, file.architecture)
    for text, grammar in zip(identity, _PART[file.format], strict=True):
        if len(text) > 128 or re.fullmatch(grammar, text) is None:
            raise ValueError(f"{text!r} is no name, version or architecture of a {_kind(file)}")
    # An epoch stands in no file name (Debian Policy 5.6.12; rpm's %_build_name_fmt).
    version = file.version.rpartition(":")[2]
    if file.format is Format.DEB:
        return f"{file.name}_{version}_{file.architecture}.deb"
    return f"{file.name}-{version}.{file.architecture}.rpm"


def _kind(file: PackageFile) -> str:
    return file.format.value


def pool_place(file: PackageFile, product: str) -> str:
    """Where a package stands below the repository; raises ValueError on a name that can't."""
    if file.format is Format.DEB:
        return f"deb/pool/main/{product}/{package_name(file)}"
    return f"rpm/packages/{package_name(file)}"


def suite(channel: str) -> str:
    """The directory of a channel's apt index."""
    return f"deb/dists/{channel}"


def yum_state(channel: str, serial: int) -> str:
    """The directory of one state of a channel's yum index, which never changes."""
    return f"rpm/states/{channel}/{serial}"


def yum_link(channel: str) -> str:
    """The symlink to the newest state."""
    return f"rpm/{channel}"


def yum_mirrors(channel: str) -> str:
    """The mirror list, a file with the newest state's address."""
    return f"rpm/{channel}.mirrors"
