"""Adds Debian packages to a root tree without making it anew: a second layer, cached as trees are.

Some tests need tools that are heavy and that no other test has a use for. A host of theirs is the
tree of all hosts, this layer over it, and its own disk over both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import run
from .recipes import SUITE, Recipe
from .trees import _SOURCES as MACHINE_SOURCES
from .trees import Trees

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_SOURCES = "etc/apt/sources.list.d/layer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Packages over the recipe's tree, and the units among them that must not start by themselves."""

    name: str
    recipe: Recipe
    packages: tuple[str, ...]
    masked_units: tuple[str, ...] = ()

    def path(self, trees: Trees) -> Path:
        """Where the layer is or will be; another tree or other packages are another path."""
        facts = (trees.path(self.recipe).name, self.packages, self.masked_units)
        steps = Path(__file__).read_bytes()
        key = hashlib.sha256(repr(facts).encode() + steps).hexdigest()[:16]
        return trees.cache / f"{self.name}-{key}"

    def get(self, trees: Trees) -> Path:
        """Return the layer, made now if it is not there (about ten seconds, after its tree)."""
        tree, layer = trees.get(self.recipe), self.path(trees)
        if layer.is_dir():
            return layer
        with (trees.cache / f".{self.name}.lock").open("w") as lock:
            # The kernel lets go of it when its holder dies.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not layer.is_dir():
                for leftover in trees.cache.glob(f".{self.name}.stage-*"):
                    run("umount", "--lazy", str(leftover / "root"), check=False)
                    shutil.rmtree(leftover)
                stage = Path(tempfile.mkdtemp(prefix=f".{self.name}.stage-", dir=trees.cache))
                with _mounted(tree, stage) as root:
                    self._fill(root)
                (stage / "upper").rename(layer)
                shutil.rmtree(stage)
        return layer

    def _fill(self, root: Path) -> None:
        """Install with the tree's own apt, and forget where the packages came from."""
        texts = _sources()
        sources = [root / f"{_SOURCES}{suffix}" for suffix in texts]
        for path, text in zip(sources, texts.values(), strict=True):
            path.write_text(text)
        names = root / "etc/resolv.conf"
        names.write_bytes(Path("/etc/resolv.conf").read_bytes())
        proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        for words in (
            ("update",),
            ("install", "--yes", "--no-install-recommends", *self.packages),
            ("clean",),
        ):
            environment: Mapping[str, str] = {"DEBIAN_FRONTEND": "noninteractive", **proxies}
            run("chroot", str(root), "apt-get", "-q", *words, timeout=600, env=environment)
        shutil.rmtree(root / "var/lib/apt/lists")
        names.write_text("")
        for path in sources:
            path.unlink()
        for unit in self.masked_units:
            (root / "etc/systemd/system" / unit).unlink(missing_ok=True)
            (root / "etc/systemd/system" / unit).symlink_to("/dev/null")


def _sources() -> dict[str, str]:
    """The machine's own Debian sources by suffix, for the tree's suite if it runs another."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", SUITE)
    texts = {path.suffix: path.read_text() for path in MACHINE_SOURCES if path.is_file()}
    assert any("debian" in text for text in texts.values()), "layers are made on Debian only"
    return {suffix: text.replace(codename, SUITE) for suffix, text in texts.items()}


@contextmanager
def _mounted(tree: Path, stage: Path) -> Iterator[Path]:
    """Mount an empty layer over the tree, while it is filled."""
    upper, work, root = (stage / name for name in ("upper", "work", "root"))
    for path in (upper, work, root):
        path.mkdir()
    options = f"lowerdir={tree},upperdir={upper},workdir={work},volatile"
    run("mount", "-t", "overlay", "-o", options, "overlay", str(root))
    try:
        yield root
    finally:
        run("umount", str(root))
