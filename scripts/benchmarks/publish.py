"""`scripts/bench publish`: a repository of very many releases, and one more added to it.

A release is four packages: server and database, deb and rpm. aptly makes the apt half beside
Interlock and createrepo_c the yum half, in the same run and with the same throw-away key; no peer
proves anything, refuses other bytes of a published version, or writes an SBOM or a provenance.
(reprepro, as Debian ships it, keeps one version of a package only.) Every addition starts from a
copy of the same repository, which is not timed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.build import BIN, interlock, write_product
from benchmarks.measure import Figure, markdown, platform_line, run, scratch_directory

Argv = tuple[str, ...]
# Of so many releases one changes the schema, as a database package carries all changes before it.
_EVERY = 10
_TOOLS = ("aptly", "createrepo_c", "gpg", "rpmsign")


@dataclass(frozen=True, kw_only=True)
class Key:
    """A signing key without a passphrase, in a gpg home of its own."""

    home: Path
    fingerprint: str

    def using(self, *argv: str) -> Argv:
        """A command that finds the key."""
        return ("env", f"GNUPGHOME={self.home}", *argv)

    def sign(self, path: Path) -> Argv:
        """What signs a file beside itself."""
        return self.using("gpg", "--batch", "--yes", "--armor", "--detach-sign", str(path))

    def sign_rpms(self, paths: Iterable[Path]) -> Argv:
        """What signs rpms in place."""
        define = ("-D", f"_gpg_name {self.fingerprint}", "-D", "__gpg /usr/bin/gpg")
        return self.using("rpmsign", *define, "--addsign", *map(str, paths))


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A way to make a repository in a directory, and to add packages to it.

    `add` is given copies of the repository. What is `staged` before, is not timed.
    """

    name: str
    stage: Callable[[Path], None]
    make: Callable[[Path, Sequence[Path]], list[Argv]]
    add: Callable[[Path, Sequence[Path]], list[Argv]]


def new_key(home: Path) -> Key:
    """A key for this run, and `key.asc` with its secret beside it."""
    home.mkdir(mode=0o700)

    def gpg(*words: str) -> bytes:
        argv = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", *words)
        return subprocess.run(argv, check=True, capture_output=True).stdout

    gpg("--quick-generate-key", "Bench <bench@example.com>", "rsa3072", "sign", "0")
    listing = gpg("--with-colons", "--list-keys").decode()
    rows = (line.split(":") for line in listing.splitlines())
    fingerprint = next(row[9] for row in rows if row[0] == "fpr")
    secret = home / "key.asc"
    secret.touch(mode=0o600)
    secret.write_bytes(gpg("--armor", "--export-secret-keys"))
    return Key(home=home, fingerprint=fingerprint)


def _by_format(packages: Iterable[Path], ending: str) -> list[Path]:
    return sorted(path for path in packages if path.suffix == ending)


def by_interlock(key: Key, *, proof: bool) -> Contestant:
    """Both halves, with the proof and all that lies beside a package."""
    sign = ("--key-file", str(key.home / "key.asc"))

    def publish(root: Path, packages: Sequence[Path]) -> list[Argv]:
        where = (
            "--repository",
            str(root),
            "--channel",
            "stable",
            "--url",
            "https://bench.example.com",
        )
        return [(str(BIN / "interlock"), "publish", "add", *map(str, packages), *where, *sign)]

    def refresh(root: Path, _: Sequence[Path]) -> list[Argv]:
        """Every index made and signed anew, without a package and so without a proof."""
        where = ("--repository", str(root), "--channel", "stable")
        return [(str(BIN / "interlock"), "publish", "refresh", *where, *sign)]

    if not proof:
        name = "Interlock refresh, indexes alone"
        return Contestant(name=name, stage=lambda _: None, make=publish, add=refresh)
    return Contestant(name="Interlock", stage=lambda _: None, make=publish, add=publish)


def by_aptly(key: Key) -> Contestant:
    """The apt half: a local repository, published and signed."""

    def stage(root: Path) -> None:
        settings = {"rootDir": str(root), "architectures": ["amd64"], "gpgProvider": "gpg"}
        root.mkdir(exist_ok=True)
        (root / "aptly.conf").write_text(json.dumps(settings))

    def aptly(root: Path, *words: str) -> Argv:
        return key.using("aptly", f"-config={root / 'aptly.conf'}", *words)

    def make(root: Path, packages: Sequence[Path]) -> list[Argv]:
        debs = map(str, _by_format(packages, ".deb"))
        where = ("-distribution=stable", "-component=main")
        sign = ("-batch", f"-gpg-key={key.fingerprint}")
        return [
            aptly(root, "repo", "create", *where, "bench"),
            aptly(root, "repo", "add", "bench", *debs),
            aptly(root, "publish", "repo", *sign, "bench"),
        ]

    def add(root: Path, packages: Sequence[Path]) -> list[Argv]:
        debs = map(str, _by_format(packages, ".deb"))
        sign = ("-batch", f"-gpg-key={key.fingerprint}")
        return [
            aptly(root, "repo", "add", "bench", *debs),
            aptly(root, "publish", "update", *sign, "stable"),
        ]

    return Contestant(name="aptly, the apt half", stage=stage, make=make, add=add)


def by_createrepo(key: Key, *, update: bool) -> Contestant:
    """The yum half: signed rpms and a signed index."""
    words = ("--update",) if update else ()

    def make(root: Path, packages: Sequence[Path]) -> list[Argv]:
        rpms = _by_format(packages, ".rpm")
        return [
            ("cp", *map(str, rpms), str(root)),
            key.sign_rpms(root / path.name for path in rpms),
            ("createrepo_c", "--quiet", *words, str(root)),
            key.sign(root / "repodata/repomd.xml"),
        ]

    name = f"createrepo_c{' --update' if update else ''}, the yum half"

    def stage(root: Path) -> None:
        root.mkdir(exist_ok=True)

    return Contestant(name=name, stage=stage, make=make, add=make)


def add_once(contestant: Contestant, base: Path, added: Sequence[Path], work: Path) -> Figure:
    """One addition to a copy of a repository, which then goes."""
    # Hard links stay what they are, which aptly insists on.
    subprocess.run(("cp", "--archive", str(base), str(work)), check=True)
    contestant.stage(work)
    figure = run(*contestant.add(work, added))
    shutil.rmtree(work)
    return figure


def index_bytes(root: Path) -> dict[str, int]:
    """What a client fetches of an apt and of a yum index for one package list, in bytes."""
    found: dict[str, int] = {}
    for kind, patterns in {
        "apt": ("Packages.xz", "Packages.gz", "Packages.bz2"),
        "yum": ("*primary.xml.*",),
    }.items():
        for pattern in patterns:
            sizes = [path.stat().st_size for path in root.rglob(pattern) if path.is_file()]
            if sizes:
                found[kind] = max(sizes)
                break
    return found


def total_bytes(root: Path) -> int:
    """What a repository takes on disk; a file with several names counts once."""
    files = {
        (state.st_dev, state.st_ino): state.st_size
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
        for state in (path.stat(),)
    }
    return sum(files.values())


def _row(name: str, figures: Sequence[Figure], base: float, *more: str) -> tuple[str, ...]:
    seconds = statistics.median(figure.seconds for figure in figures)
    memory = max(figure.mib for figure in figures)
    return (name, f"{seconds:.2f}", f"{seconds / base:.2f}", f"{memory:.0f}", *more)


def _sizes(root: Path) -> tuple[str, str]:
    sizes = index_bytes(root)
    text = ", ".join(f"{kind} {size / 1024:.0f}" for kind, size in sizes.items())
    return text, f"{total_bytes(root) / (1 << 20):.0f}"


def contest(
    key: Key, packages: Sequence[Path], added: Sequence[Path], scratch: Path, runs: int
) -> None:
    """Both tables of one size of repository."""
    ours, plain = by_interlock(key, proof=True), by_createrepo(key, update=False)
    makers = (ours, by_aptly(key), plain)
    releases = len(packages) // 4
    made: dict[str, Figure] = {}
    bases: dict[str, Path] = {}
    for number, one in enumerate(makers):
        bases[one.name] = scratch / f"base-{releases}-{number}"
        one.stage(bases[one.name])
        made[one.name] = run(*one.make(bases[one.name], packages))
    # The same repositories, added to in another way.
    refreshing, updating = by_interlock(key, proof=False), by_createrepo(key, update=True)
    bases |= {refreshing.name: bases[ours.name], updating.name: bases[plain.name]}
    contestants = (*makers, updating, refreshing)
    first = made[ours.name].seconds
    rows = [_row(name, [figure], first, *_sizes(bases[name])) for name, figure in made.items()]
    columns = ("", "seconds", "against Interlock", "memory (MiB)")
    sizes = ("index (KiB)", "repository (MiB)")
    markdown(f"{releases} releases at once, {len(packages)} packages", (*columns, *sizes), rows)
    figures: dict[str, list[Figure]] = {one.name: [] for one in contestants}
    for _ in range(runs):
        for one in contestants:
            work = scratch / "added"
            figures[one.name].append(add_once(one, bases[one.name], added, work))
    base = statistics.median(figure.seconds for figure in figures[ours.name])
    rows = [_row(name, found, base) for name, found in figures.items()]
    markdown(f"One release added to {releases}, median of {runs} runs", columns, rows)
    for path in set(bases.values()):
        shutil.rmtree(path)


def built(scratch: Path, releases: int) -> list[list[Path]]:
    """The packages of each release, in order."""
    payload = scratch / "payload"
    (payload / "data").mkdir(parents=True)
    (payload / "data/file").write_text("data\n")
    (payload / "tool").write_text("#!/bin/sh\necho bench\n")
    (payload / "tool").chmod(0o755)
    write_product(scratch / "product", releases, payload, every=_EVERY)
    run(interlock(scratch / "product", scratch / "dist"))
    found: list[list[Path]] = [[] for _ in range(releases)]
    for path in sorted((scratch / "dist").iterdir()):
        if path.suffix in (".deb", ".rpm"):
            _, _, version = path.name.partition("1.")
            found[int(version.partition(".")[0])].append(path)
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench publish` can be told."""
    parser.add_argument("--runs", type=int, default=3, help="additions, each to a fresh copy")
    parser.add_argument(
        "--releases", type=int, nargs="+", default=[50, 500], help="sizes of the repository"
    )


def main(options: argparse.Namespace) -> None:
    """The tables of `scripts/bench publish`."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        sys.exit(f"bench: {', '.join(missing)} not installed; run scripts/bootstrap tests first")
    print(f"{platform_line()}, each release 2 debs and 2 rpms, rsa3072")
    with scratch_directory(longest=60) as scratch:
        key = new_key(scratch / "gpg")
        try:
            releases = built(scratch, max(options.releases) + 1)
            for count in options.releases:
                packages = [path for release in releases[:count] for path in release]
                contest(key, packages, releases[count], scratch, options.runs)
        finally:
            end = ("gpgconf", "--homedir", str(key.home), "--kill", "all")
            subprocess.run(end, check=False, capture_output=True, env=os.environ)
