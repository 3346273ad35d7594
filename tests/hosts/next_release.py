"""A tree of Debian's next release, for its apt: made once, and never booted.

It stands beside the trees of `trees`, whose names hold their recipes, so that adding this one
makes none of them anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from .commands import run
from .trees import Trees

NEXT_SUITE = "trixie"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def next_release_tree(trees: Trees) -> Path:
    """Return the tree, made now if it is not there (about half a minute)."""
    tree = trees.cache / f"apt-{NEXT_SUITE}"
    if tree.is_dir():
        return tree
    trees.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (trees.cache / f".apt-{NEXT_SUITE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            for leftover in trees.cache.glob(f".apt-{NEXT_SUITE}-*"):
                shutil.rmtree(leftover)
            stage = Path(tempfile.mkdtemp(prefix=f".apt-{NEXT_SUITE}-", dir=trees.cache))
            command = ("mmdebstrap", "--quiet", "--variant=apt", NEXT_SUITE, str(stage / "tree"))
            proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
            run(*command, timeout=900, env=proxies)
            (stage / "tree").rename(tree)
            stage.rmdir()
    return tree
