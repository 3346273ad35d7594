"""`scripts/bench build`: Interlock against nfpm and against plain dpkg-deb and rpmbuild.

All get the same payloads, compressor and level. Whole processes are timed, their start included;
the median of the runs is reported, and the memory of the largest process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import yaml

from benchmarks.measure import Figure, platform_line, run, scratch_directory, table

BIN = Path(sys.executable).parent
SHAPE = {
    "product": "bench",
    "summary": "Benchmark",
    "description": "A product for measuring.",
    "maintainer": "Bench <bench@example.com>",
    "homepage": "https://bench.example.com",
    "licence": "MIT",
    "copyright": "2026 Bench",
    "rollout": "database-first",
    "skew": 1,
    "targets": {
        "deb": {"architectures": ["amd64"], "compression": "zstd:3"},
        "rpm": {"architectures": ["amd64"], "compression": "zstd:3"},
    },
}


def write_product(root: Path, releases: int, payload: Path, *, every: int = 1) -> None:
    """A product whose releases share one payload directory; one of `every` changes the schema."""
    (root / "sql").mkdir(parents=True)
    (root / "product.yaml").write_text(yaml.safe_dump(SHAPE))
    shutil.copytree(payload, root / "payload", copy_function=os.link)
    for number in range(releases):
        (root / f"sql/{number}.sql").write_text(f"CREATE TABLE t{number} (id bigint);\n")
        oldest = f">= 1.{max(0, number - 1)}.0"
        schema: dict[str, object] = {"version": 10 + number // every}
        if number % every == 0:
            schema["expand"] = [{"change": f"c{number}", "sql": f"sql/{number}.sql"}]
        release = {
            "release": f"1.{number}.0",
            "date": str(date(2026, 1, 1) + timedelta(days=number)),
            "changelog": ["Measured."],
            "schema": schema,
            "server": {
                "binaries": [{"source": "payload/tool", "target": "/usr/bin/bench-tool"}],
                "files": [{"source": "payload/data", "target": "/usr/lib/bench"}],
            },
            "compatibility": {
                "server": {"schema": f">= {10 + number // every}", "peers": oldest},
                "database": {"servers": oldest},
            },
        }
        (root / f"1.{number}.0.yaml").write_text(yaml.safe_dump(release))


def interlock(root: Path, output: Path) -> tuple[str, ...]:
    """One build of everything."""
    return (str(BIN / "interlock"), "build", str(root), "--output", str(output))


def unpacked(root: Path, scratch: Path) -> dict[tuple[int, str], Path]:
    """The files of Interlock's own packages, by release and role: all contestants' payload."""
    dist, trees = scratch / "payloads", {}
    run((str(BIN / "interlock"), "build", str(root), "--output", str(dist), "--format", "deb"))
    for deb in dist.glob("*.deb"):
        name, version, _ = deb.stem.split("_")
        number, role = int(version.split(".")[1]), name.rpartition("-")[2]
        trees[number, role] = scratch / f"tree-{number}-{role}"
        subprocess.run(("dpkg-deb", "-x", deb, trees[number, role]), check=True)
    shutil.rmtree(dist)
    return trees


def relation(number: int, role: str) -> tuple[str, str, str, int]:
    """Field, name, operator and bound of the one relation that counts here."""
    if role == "server":
        return "conflicts", "bench-schema", "<", 10 + number
    return "provides", "bench-schema", "=", 10 + number


def nfpm_commands(trees: dict[tuple[int, str], Path], work: Path) -> list[tuple[str, ...]]:
    """The same packages, one nfpm process each."""
    commands: list[tuple[str, ...]] = []
    for (number, role), tree in trees.items():
        field, name, operator, bound = relation(number, role)
        for form in ("deb", "rpm"):
            sign = {"<": "<<"}.get(operator, operator) if form == "deb" else operator
            text = f"{name} ({sign} {bound})" if form == "deb" else f"{name} {sign} {bound}"
            config = {
                "name": f"bench-{role}",
                "arch": "amd64",
                "platform": "linux",
                "version": f"1.{number}.0",
                "release": "1",
                "maintainer": SHAPE["maintainer"],
                "description": SHAPE["description"],
                "license": "MIT",
                "contents": [{"src": str(tree), "dst": "/", "type": "tree"}],
                field: [text],
                "deb": {"compression": "zstd"},
                "rpm": {"compression": "zstd:3"},
            }
            path, target = work / f"{number}-{role}-{form}.yaml", work / f"{number}-{role}.{form}"
            path.write_text(yaml.safe_dump(config))
            commands.append(
                (str(BIN / "nfpm"), "package", "-f", str(path), "-p", form, "-t", str(target))
            )
    return commands


SPEC = """\
Name: bench-{role}
Version: 1.{number}.0
Release: 1
Summary: Benchmark
License: MIT
AutoReqProv: no
{field}: {name} {operator} {bound}
%description
A product for measuring.
%install
cp -a {tree}/. %{{buildroot}}/
%files
/usr
"""


def plain_commands(trees: dict[tuple[int, str], Path], work: Path) -> list[tuple[str, ...]]:
    """dpkg-deb and rpmbuild by hand, from trees that are staged before the clock starts."""
    commands: list[tuple[str, ...]] = []
    for (number, role), tree in trees.items():
        field, name, operator, bound = relation(number, role)
        spec = work / f"{number}-{role}.spec"
        spec.write_text(
            SPEC.format(
                role=role,
                number=number,
                tree=tree,
                field=field.title(),
                name=name,
                operator=operator,
                bound=bound,
            )
        )
        defines = {
            "_topdir": work / f"{number}-{role}-rpm",
            "_binary_payload": "w3.zstdio",
            "_unpackaged_files_terminate_build": "0",
            "debug_package": "%{nil}",
        }
        flags = [part for key, value in defines.items() for part in ("-D", f"{key} {value}")]
        commands.append(("rpmbuild", "-bb", *flags, str(spec)))
        deb_tree = work / f"{number}-{role}-deb"
        shutil.copytree(tree, deb_tree, copy_function=os.link)
        (deb_tree / "DEBIAN").mkdir()
        sign = {"<": "<<"}.get(operator, operator)
        (deb_tree / "DEBIAN/control").write_text(
            f"Package: bench-{role}\nVersion: 1.{number}.0-1\nArchitecture: amd64\n"
            f"Maintainer: {SHAPE['maintainer']}\n{field.title()}: {name} ({sign} {bound})\n"
            "Description: Benchmark\n"
        )
        target = work / f"{number}-{role}.deb"
        commands.append(
            ("dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "-b", str(deb_tree), str(target))
        )
    return commands


def mixed_binaries(target: Path, megabytes: int) -> None:
    """Real binaries and text of this machine, as many as the size asks for."""
    (target / "data").mkdir(parents=True)
    (target / "tool").write_text("#!/bin/sh\necho bench\n")
    (target / "tool").chmod(0o755)
    left = megabytes << 20
    found = sorted(
        path
        for place in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/bin")
        for path in Path(place).rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    for number, path in enumerate(found):
        size = path.stat().st_size
        if left <= 0:
            break
        if 0 < size <= left:
            shutil.copyfile(path, target / "data" / f"{number:05d}")
            left -= size


def measure(scratch: Path, runs: int, releases: int, payload: Path) -> dict[str, list[Figure]]:
    """All contestants in turn, so that a drift of the machine meets them alike."""
    cores = os.cpu_count() or 1
    root = scratch / "product"
    write_product(root, releases, payload)
    trees = unpacked(root, scratch)
    rows: dict[str, list[Figure]] = {"Interlock": []}

    def contest(name: str, commands: Callable[[Path], list[tuple[str, ...]]], at_once: int) -> None:
        with tempfile.TemporaryDirectory(dir=scratch) as work:
            rows.setdefault(name, []).append(run(*commands(Path(work)), parallel=at_once))

    for _ in range(runs):
        contest("Interlock", lambda work: [interlock(root, work / "dist")], 1)
        contest("nfpm, one after another", lambda work: nfpm_commands(trees, work), 1)
        contest(f"nfpm, {cores} at a time", lambda work: nfpm_commands(trees, work), cores)
        name = f"dpkg-deb and rpmbuild by hand, {cores} at a time"
        contest(name, lambda work: plain_commands(trees, work), cores)
    return rows


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench build` can be told."""
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--mb", type=int, default=300, help="size of the large payload")


def main(options: argparse.Namespace) -> None:
    """The tables of `scripts/bench build`."""
    runs, megabytes = options.runs, options.mb
    print(f"{platform_line()}, median of {runs} runs, zstd level 3")
    with scratch_directory() as scratch:
        tiny = scratch / "tiny"
        (tiny / "data").mkdir(parents=True)
        (tiny / "data/file").write_text("data\n")
        (tiny / "tool").write_text("#!/bin/sh\necho bench\n")
        large = scratch / "large"
        mixed_binaries(large, megabytes)
        for title, releases, payload in (
            ("Four packages of one release, tiny payload", 1, tiny),
            (f"Four packages of one release, {megabytes} MB of binaries", 1, large),
            ("200 packages of 50 releases, tiny payload", 50, tiny),
        ):
            case = scratch / f"case-{releases}-{payload.name}"
            case.mkdir()
            table(title, measure(case, runs, releases, payload))
        root, dist = scratch / "case-50-tiny/product", scratch / "again"
        run(interlock(root, dist))
        rows = {"Interlock": [run(interlock(root, dist)) for _ in range(runs)]}
        table("50 releases again, nothing changed", rows)
