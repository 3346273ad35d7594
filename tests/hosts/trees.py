"""Makes the root trees of test hosts, each once, and keeps them in a cache."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import run
from .recipes import SUITE, Recipe

DEFAULT_CACHE = Path("/var/cache/interlock-tests/trees")
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
# Manual pages and translations only: a host keeps the documentation of packages, and the
# exclusion itself does not stay in the tree, so that packages under test lose nothing.
_EXCLUDED = ("/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*/LC_MESSAGES/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """A cache of root trees; safe with several test processes at once."""

    cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Trees:
        """Use the cache that INTERLOCK_TREES names, or the default one."""
        return cls(cache=Path(environment.get("INTERLOCK_TREES") or DEFAULT_CACHE))

    def path(self, recipe: Recipe) -> Path:
        """Where the recipe's tree is or will be; a change of recipe or steps is another path."""
        return self.cache / f"{recipe.name}-{recipe.key(Path(__file__).read_bytes())}"

    def get(self, recipe: Recipe) -> Path:
        """Return the recipe's tree, made now if it is not there (about a minute)."""
        tree = self.path(recipe)
        if tree.is_dir():
            return tree
        # The trees hold setuid programs, which are nobody else's business.
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self.cache / f".{recipe.name}.lock"):
            if not tree.is_dir():
                # With a dot, which no name has: a layer's name may begin with a tree's.
                for leftover in self.cache.glob(f".{recipe.name}.stage-*"):
                    shutil.rmtree(leftover)
                stage = Path(tempfile.mkdtemp(prefix=f".{recipe.name}.stage-", dir=self.cache))
                make(recipe, stage / "tree")
                (stage / "tree").rename(tree)
                stage.rmdir()
        return tree


def make(recipe: Recipe, tree: Path) -> None:
    """Make a tree: packages, then files and masks over them, then the rpm database."""
    _install(recipe, tree)
    _forget_origin(tree)
    for file in recipe.files:
        data = file.text.encode()
        run("install", "-D", "--mode=644", "/dev/stdin", str(tree / file.path), stdin=data)
    for unit in recipe.masked_units:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    generators = tree / "etc/systemd/system-generators"
    generators.mkdir(exist_ok=True)
    for generator in recipe.masked_generators:
        (generators / generator).symlink_to("/dev/null")
    if recipe.base_package:
        _fill_rpm_database(recipe, tree)


def _install(recipe: Recipe, tree: Path) -> None:
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED),
        SUITE,
        str(tree),
        *map(str, debian_sources()),
        timeout=900,
        env={name: os.environ[name] for name in _PROXIES if name in os.environ},
    )


def debian_sources() -> tuple[Path, ...]:
    """Find the machine's own Debian sources; without any, mmdebstrap knows a mirror itself."""
    release = platform.freedesktop_os_release()
    if (release.get("ID"), release.get("VERSION_CODENAME")) != ("debian", SUITE):
        return ()
    return tuple(path for path in _SOURCES if path.is_file() and _only_debian(path.read_text()))


def _only_debian(text: str) -> bool:
    """Tell whether there are entries and all name an archive of Debian, not a third party's."""
    entries = re.findall(r"^(?:URIs:|deb(?:-src)?\s)(.*)$", text, re.MULTILINE)
    return bool(entries) and all(re.search(r"/debian(-security)?/?(\s|$)", e) for e in entries)


def _forget_origin(tree: Path) -> None:
    """Remove what ties the tree to the machine that made it; a host installs from itself only."""
    for path in (
        *tree.glob("etc/apt/sources.list"),
        *tree.glob("etc/apt/sources.list.d/*"),
        *tree.glob("etc/apt/apt.conf.d/99mmdebstrap"),
        *tree.glob("etc/dpkg/dpkg.cfg.d/99mmdebstrap"),
    ):
        path.unlink()


def _fill_rpm_database(recipe: Recipe, tree: Path) -> None:
    """Build the stand-in package with the tree's own rpmbuild and install it there."""
    work = Path(tempfile.mkdtemp(dir=tree / "root"))
    inside = f"/root/{work.name}"
    (work / "base.spec").write_text(recipe.base_package)
    run("chroot", str(tree), "rpm", "--initdb")
    build = ("rpmbuild", "-bb", "--define", f"_topdir {inside}", f"{inside}/base.spec")
    run("chroot", str(tree), *build)
    (package,) = work.glob("RPMS/noarch/*.rpm")
    run("chroot", str(tree), "rpm", "--install", f"{inside}/{package.relative_to(work)}")
    shutil.rmtree(work)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when its holder dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
