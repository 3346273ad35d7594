"""The release that a version of another tool stands for."""

import re

from toolchain.errors import UsageError
from toolchain.model.version import Version
from toolchain.spec.values.versions import spelled
from toolchain.spec.wording import show

# What stands before a release by its name; Debian has a tilde in front of the others.
_BEFORE = frozenset(
    {"a", "alpha", "b", "beta", "c", "rc", "pre", "preview", "dev", "m", "milestone"}
)


def release_named(text: str) -> Version | None:
    """The release that a tag or a version names: `v4.1.0`, `1:4.1.0~rc1-2`; None for others.

    An epoch and a package's revision say nothing of the release (Debian Policy 5.6.12).
    """
    upstream = text.partition(":")[2] if re.match(r"[0-9]+:", text) else text
    # What is repacked or built from a snapshot has a mark behind the version of its release.
    upstream = re.sub(r"(?<=[0-9])\+[A-Za-z0-9.+~]*(?=-|\Z)", "", upstream, count=1)
    revised = re.fullmatch(r"(.*)-[0-9][A-Za-z0-9.+~]*", upstream)
    upstream = revised[1] if revised else upstream
    version = spelled(upstream)
    if version is None or version.stage is None or "~" in upstream:
        return version
    # Other letters come after a release (OpenSSL's 1.1.1a) or mean anything (1.x).
    before = version.stage in _BEFORE and not re.search(r"[0-9][a-z]\Z", upstream, re.IGNORECASE)
    return version if before else None


class UnfitVersionError(UsageError):
    """A version that no release can have."""


def release_of(text: str, where: str) -> Version:
    """The same; raises UnfitVersionError where the text names none."""
    version = release_named(text)
    if version is None:
        raise UnfitVersionError(
            f"{where}: {show(text)} is no version that becomes a release X.Y.Z or X.Y.Z-preN",
            "take it out of what is imported, or give it such a version",
        )
    return version
