"""Which compressor a package may use, so that every customer's package manager can read it."""

import re
from dataclasses import dataclass

from toolchain.model.release import Format, Target

# The first release of each distribution whose own package manager reads zstd packages.
# Debian: dpkg 1.21.18; Ubuntu: dpkg 1.19 with Ubuntu's patch in 18.04; rpm: 4.14 with zstd.
_READS_ZSTD: dict[Format, dict[str, tuple[int, ...]]] = {
    Format.DEB: {"debian": (12,), "ubuntu": (18, 4)},
    Format.RPM: {
        "el": (8,),
        "rhel": (8,),
        "centos": (8,),
        "rocky": (8,),
        "almalinux": (8,),
        "fedora": (31,),
        "amazon": (2023,),
        "opensuse": (15, 2),
        "sles": (15, 2),
    },
}
_LEVELS = {"zstd": range(1, 20), "xz": range(10), "gzip": range(1, 10), "none": range(1)}
_DEFAULT_LEVEL = {"zstd": 3, "xz": 6, "gzip": 6, "none": 0}


@dataclass(frozen=True, slots=True)
class Compression:
    """A method and its level."""

    method: str
    level: int

    def __str__(self) -> str:
        return f"{self.method}:{self.level}"


def parse_compression(text: str) -> Compression:
    """Read METHOD or METHOD:LEVEL; raises ValueError with the possible values."""
    method, colon, level = text.partition(":")
    if method not in _LEVELS:
        raise ValueError(f"{method!r} is no compressor: write one of {', '.join(sorted(_LEVELS))}")
    if not colon:
        return Compression(method, _DEFAULT_LEVEL[method])
    levels = _LEVELS[method]
    if re.fullmatch(r"[0-9]{1,2}", level) is None or int(level) not in levels:
        raise ValueError(f"{method} has the levels {levels[0]} to {levels[-1]}, not {level!r}")
    return Compression(method, int(level))


def reads_zstd(format_: Format, distribution: str) -> bool:
    """Whether a distribution such as `debian-11` reads zstd; raises ValueError if unknown."""
    name, _, release = distribution.partition("-")
    known = _READS_ZSTD[format_]
    if name not in known or re.fullmatch(r"[0-9]+(\.[0-9]+)*", release) is None:
        names = ", ".join(f"{name}-N" for name in known)
        raise ValueError(f"{distribution!r} is no {format_.value} distribution: known are {names}")
    return tuple(int(part) for part in release.split(".")) >= known[name]


def choose_compression(target: Target) -> Compression:
    """The spec's own choice, else zstd where every declared distribution reads it, else xz.

    A target that declares no distribution is read by current ones. Raises ValueError on an
    unknown distribution or compressor, and on a chosen zstd that a declared one can't read.
    """
    behind = [name for name in target.distributions if not reads_zstd(target.format, name)]
    if target.compression is None:
        return parse_compression("xz" if behind else "zstd")
    chosen = parse_compression(target.compression)
    if chosen.method == "zstd" and behind:
        raise ValueError(
            f"{', '.join(behind)} can't read zstd: leave `compression` out or write xz"
        )
    return chosen
