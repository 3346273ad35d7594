"""The commands of the page on operating, as an operator types them on a host."""

from __future__ import annotations

import re

from tests.docs.pages import DOCS

from .commands import Result
from .host import Host
from .recipes import Packaging

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_OF_ONE_PACKAGING = {"apt": Packaging.DEB, "apt-get": Packaging.DEB, "dnf": Packaging.RPM}

Block = tuple[str, ...]


def blocks() -> tuple[Block, ...]:
    """The blocks of commands of `docs/how-to/operate.md`, in its order, a line each."""
    page = (DOCS / "how-to/operate.md").read_text()
    return tuple(tuple(line.strip() for line in text.splitlines()) for text in _BLOCK.findall(page))


def follow(host: Host, block: Block) -> Result:
    """Type a block's lines for this host's package manager, until one fails; the last answer.

    Package managers are told yes, and that changed configuration stays.
    """
    done: Result | None = None
    for line in block:
        if _OF_ONE_PACKAGING.get(line.split()[0], host.packaging) is not host.packaging:
            continue
        done = host.run("sh", "-c", line, check=False, stdin="y\n", timeout=300)
        if done.returncode != 0:
            return done
    assert done is not None, block
    return done


def keep_configuration(host: Host) -> None:
    """What an operator's own settings say where dpkg would ask about a changed file."""
    if host.packaging is Packaging.DEB:
        options = "".join(f'DPkg::Options:: "--force-conf{choice}";\n' for choice in ("def", "old"))
        host.write("/etc/apt/apt.conf.d/90keep", options)
