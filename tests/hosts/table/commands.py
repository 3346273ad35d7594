"""Every way in which a customer asks a package manager for a server, as data.

`{server}`, `{database}`: the packages' names; `{wanted}`, `{wanted_pair}`: with the version asked
for, as the command line names it; `{file}`: the package itself; `{shard}`: a shard's local package;
`{newer}`: the versions above the one asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..recipes import Packaging


class Direction(Enum):
    """Which versions a command can be asked for, seen from the one that is installed."""

    ANY = "any"
    UP = "up"
    DOWN = "down"
    NONE = "none"


class Gate(Enum):
    """The first gate that a command meets on its way."""

    SOLVER = "solver"
    HOOK = "hook"
    SCRIPT = "script"


class Answer(Enum):
    """What a command says and does when the server that it asks for does not fit.

    NAMES    is refused, with a reason that names a shard which the server does not fit.
    UNNAMED  is refused, with the relation that would be broken; the tool does not say whose it is.
    SKIPS    ends well without having done anything; gives the reason as NAMES does.
    KEEPS    keeps the server back and says so, or is refused as NAMES is.
    STAYS    ends well without having done anything, and says nothing.
    FINDS    takes the newest server that fits instead, if it is newer; gives the reason as NAMES does.
    """

    NAMES = "names"
    UNNAMED = "unnamed"
    SKIPS = "skips"
    KEEPS = "keeps"
    STAYS = "stays"
    FINDS = "finds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way of asking.

    `gate` stops it where both solver and hook know the shards. One that `removes` a shard's package
    may be refused for that alone.
    """

    words: tuple[str, ...]
    direction: Direction = Direction.ANY
    gate: Gate = Gate.SOLVER
    answer: Answer = Answer.NAMES
    removes: bool = False
    title: str = ""
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the table calls it."""
        text = self.title or " ".join(self.words)
        if self.files:
            text += " (pinned)"
        return text + (f" <<< '{self.stdin.splitlines()[0]}'" if self.stdin else "")


def _kind(words: str, **options: object) -> Kind:
    return Kind(words=tuple(words.split()), **options)  # type: ignore[arg-type]


_PIN = {
    "/etc/apt/preferences.d/table": "Package: {server}\nPin: version {full}\nPin-Priority: 1001\n"
}
_PYTHON_APT = """\
import apt, sys
cache = apt.Cache()
package = cache[sys.argv[1]]
package.candidate = package.versions[sys.argv[2]]
package.mark_install() if package.candidate > package.installed else package.mark_install(False)
sys.exit(not cache.commit())
"""
_UP, _BACK = Direction.UP, Direction.DOWN
_DOWN = "--allow-downgrades"
_BOLD = f"{_DOWN} --allow-change-held-packages --allow-remove-essential"

APT = (
    # Without leave to downgrade.
    _kind("apt-get -y install {wanted}", direction=_UP),
    _kind(f"apt-get -y {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y {_BOLD} install {{wanted}}"),
    _kind(f"apt -y {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y {_DOWN} install {{file}}"),
    _kind(f"apt-get -y -f {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y --reinstall {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y --only-upgrade {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y --no-remove {_DOWN} install {{wanted}}"),
    _kind(f"apt-get -y {_DOWN} install {{wanted_pair}}"),
    _kind(f"apt-get -y {_DOWN} upgrade", files=_PIN, answer=Answer.STAYS),
    _kind(f"apt-get -y {_DOWN} dist-upgrade", files=_PIN, answer=Answer.KEEPS),
    _kind(f"apt-get -y {_BOLD} dist-upgrade", files=_PIN, answer=Answer.KEEPS),
    _kind(f"apt -y {_DOWN} full-upgrade", files=_PIN, answer=Answer.KEEPS),
    Kind(
        words=("python3", "-c", _PYTHON_APT, "{server}", "{full}"),
        title="python-apt: mark {wanted}, commit",
        answer=Answer.UNNAMED,
    ),
    _kind(f"apt-get -y {_DOWN} install {{wanted}} {{shard}}-", removes=True),
    _kind(f"apt-get -y {_BOLD} install {{wanted}} {{shard}}-", removes=True, gate=Gate.HOOK),
    _kind("dpkg -i {file}", gate=Gate.SCRIPT),
    _kind("dpkg -i --force-conflicts --force-downgrade {file}", gate=Gate.SCRIPT),
)
APT_UNTARGETED = (
    _kind("apt-get -y upgrade", direction=Direction.NONE),
    _kind("apt-get -y dist-upgrade", direction=Direction.NONE),
    _kind(f"apt-get -y {_BOLD} dist-upgrade", direction=Direction.NONE),
    _kind("apt -y upgrade", direction=Direction.NONE),
    _kind("apt -y full-upgrade", direction=Direction.NONE),
    _kind("apt-get -y install {server}", direction=Direction.NONE),
    _kind("apt-get -y -f install", direction=Direction.NONE),
    _kind("apt-get -y autoremove --purge", direction=Direction.NONE),
    _kind("apt-get -y dselect-upgrade", direction=Direction.NONE),
    _kind("apt-get -y remove {shard}", direction=Direction.NONE, removes=True),
    _kind("apt-get -y purge {shard}", direction=Direction.NONE, removes=True),
    _kind("dpkg --remove {shard}", direction=Direction.NONE, removes=True),
)

_NEWEST = "--exclude={newer}"
_ERASE = "--allowerasing"
DNF = (
    _kind("dnf -y install {wanted}"),
    _kind(f"dnf -y install {_ERASE} {{wanted}}"),
    _kind("dnf -y install --nobest {wanted}"),
    _kind(f"dnf -y install --skip-broken --nobest {_ERASE} {{wanted}}", answer=Answer.SKIPS),
    _kind("dnf -y --noplugins install {wanted}"),
    _kind("dnf -y upgrade {wanted}", direction=_UP),
    _kind(f"dnf -y upgrade {_ERASE} {{wanted}}", direction=_UP),
    _kind("dnf -y downgrade {wanted}", direction=_BACK),
    _kind(f"dnf -y downgrade {_ERASE} {{wanted}}", direction=_BACK),
    _kind(f"dnf -y upgrade {_NEWEST}", direction=_UP, answer=Answer.FINDS),
    _kind(f"dnf -y upgrade {_ERASE} {_NEWEST}", direction=_UP, answer=Answer.FINDS),
    _kind(f"dnf -y upgrade --best {_ERASE} {_NEWEST}", direction=_UP),
    _kind(f"dnf -y upgrade {_ERASE} --nobest {_NEWEST}", direction=_UP, answer=Answer.FINDS),
    # What is excluded is not downgraded either.
    _kind(f"dnf -y distro-sync {_NEWEST}", direction=_UP),
    _kind(f"dnf -y distro-sync {_ERASE} {_NEWEST}", direction=_UP),
    _kind("dnf -y install {file}"),
    _kind(f"dnf -y install {_ERASE} {{file}}"),
    _kind("dnf -y upgrade {file}", direction=_UP),
    _kind(f"dnf -y downgrade {_ERASE} {{file}}", direction=_BACK),
    _kind(f"dnf -y install {_ERASE} {{wanted_pair}}"),
    Kind(words=("dnf", "-y", "shell"), stdin="install {wanted}\nrun\nexit\n", answer=Answer.SKIPS),
    _kind("dnf -y swap {shard} {wanted}", removes=True),
    _kind(
        f"dnf -y --setopt=protected_packages= install {_ERASE} {{wanted}}",
        gate=Gate.HOOK,
        removes=True,
    ),
    _kind("rpm -U --oldpackage {file}", answer=Answer.UNNAMED),
    _kind("rpm -U --oldpackage --force --nodeps {file}", gate=Gate.SCRIPT),
)
DNF_UNTARGETED = (
    _kind("dnf -y upgrade", direction=Direction.NONE),
    _kind(f"dnf -y upgrade {_ERASE}", direction=Direction.NONE),
    _kind(f"dnf -y upgrade --nobest {_ERASE}", direction=Direction.NONE),
    _kind("dnf -y upgrade-minimal", direction=Direction.NONE),
    _kind("dnf -y distro-sync", direction=Direction.NONE),
    _kind(f"dnf -y distro-sync {_ERASE}", direction=Direction.NONE),
    _kind("dnf -y install {server}", direction=Direction.NONE),
    _kind("dnf -y autoremove", direction=Direction.NONE),
    _kind("dnf -y remove {shard}", direction=Direction.NONE, removes=True),
)

TARGETED: Mapping[Packaging, tuple[Kind, ...]] = {Packaging.DEB: APT, Packaging.RPM: DNF}
UNTARGETED: Mapping[Packaging, tuple[Kind, ...]] = {
    Packaging.DEB: APT_UNTARGETED,
    Packaging.RPM: DNF_UNTARGETED,
}
