"""`scripts/bench hook`: what the hooks of apt and dnf cost a transaction of others' packages.

apt's hook gets the text that apt 2.6 sends for packages that are unpacked and configured; beside it
stands the shell that apt starts for any hook. dnf 4's plugin is loaded and asked about a real
transaction by the Python that runs dnf here.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from benchmarks.measure import markdown, platform_line, scratch_directory
from toolchain.edge.resources import TemplateFiles, packaging_directory
from toolchain.render.templates import Templates

# Seconds from start to end, and the processor's among them.
Figure = tuple[float, float]
Row = tuple[str, ...]

PACKAGE = SimpleNamespace(name="bench-server", product="bench")
CACHE = "/var/cache/apt/archives"
SPEC = """\
Name: p0
Version: 1.0
Release: 1
Summary: One of many
License: MIT
BuildArch: noarch
%description
One of many.
%files
"""
SUBPACKAGE = """\
%package -n p{number}
Summary: One of many
Provides: virtual-{number} = 1
%description -n p{number}
One of many.
%files -n p{number}
"""
# Run by dnf's own Python, which is not this one.
DRIVER = """\
import importlib.util, json, sys, time
import dnf
plugin, repository, scratch = sys.argv[1:]
base = dnf.Base()
base.conf.cachedir, base.conf.installroot = scratch + "/cache", scratch + "/root"
base.conf.persistdir, base.conf.gpgcheck = scratch + "/persist", False
base.conf.releasever = base.conf.substitutions["releasever"] = "9"
base.repos.add_new_repo("bench", base.conf, baseurl=["file://" + repository])
base.fill_sack(load_system_repo=False)
for package in base.sack.query().available():
    base.package_install(package)
base.resolve()
base.conf.installroot = "/"
took = []
for _ in range(20):
    start, began = time.perf_counter(), time.process_time()
    spec = importlib.util.spec_from_file_location("hook", plugin)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Hook(base, None).pre_transaction()
    took.append((time.perf_counter() - start, time.process_time() - began))
print(json.dumps([len(base.transaction.install_set), took]))
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How much, and how often."""
    parser.add_argument("--packages", type=int, default=500, help="in the transaction (500)")
    parser.add_argument("--runs", type=int, default=20, help="of apt's hook (20)")


def main(options: argparse.Namespace) -> None:
    """Measure both and print the medians."""
    print(platform_line())
    with scratch_directory() as scratch:
        rows = _apt(scratch, options.packages, options.runs)
        rows += _dnf(scratch, options.packages)
    markdown(
        "Transaction without its packages",
        ("", "median (ms)", "of it at work (ms)", "worst (ms)"),
        rows,
    )


def _row(name: str, figures: Sequence[Sequence[float]]) -> Row:
    took, worked = ([figure[place] for figure in figures] for place in (0, 1))
    middle = (f"{statistics.median(seconds) * 1000:.1f}" for seconds in (took, worked))
    return name, *middle, f"{max(took) * 1000:.1f}"


def _render(scratch: Path, template: str, name: str) -> Path:
    text = Templates(TemplateFiles((packaging_directory(),))).render(template, package=PACKAGE)
    path = scratch / name
    path.write_text(text.replace("/usr/lib/bench-server", str(scratch)))
    path.chmod(0o755)
    return path


def _apt(scratch: Path, packages: int, runs: int) -> list[Row]:
    _render(scratch, "deb/apt-hook.j2", "apt-hook")
    conf = _render(scratch, "deb/apt-conf.j2", "apt.conf").read_text()
    command = conf.split('{ "')[1].split('"; }')[0]
    dump = subprocess.run(("apt-config", "dump"), check=True, capture_output=True, text=True).stdout
    head = f"VERSION 3\n{dump}\n"
    unpacked = "p{0} 1.{0} amd64 same < 2.{0} amd64 same {1}/p{0}_2.{0}_amd64.deb\n"
    configured = "p{0} 1.{0} amd64 same < 2.{0} amd64 same **CONFIGURE**\n"
    lines = (unpacked + configured).format
    text = (head + "".join(lines(number, CACHE) for number in range(packages))).encode()

    def took(argv: tuple[str, ...]) -> list[Figure]:
        figures = []
        for _ in range(runs):
            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(argv, input=text, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            worked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            figures.append((time.perf_counter() - start, worked))
        return figures

    return [
        _row(
            f"apt: a hook that reads {len(text) // 1024} KiB and leaves",
            took(("sh", "-c", "cat >/dev/null")),
        ),
        _row(f"apt: this hook, {packages} packages", took(("sh", "-c", command))),
    ]


def _dnf(scratch: Path, packages: int) -> list[Row]:
    plugin = _render(scratch, "rpm/dnf-plugin.j2", "dnf_plugin.py")
    spec = scratch / "many.spec"
    spec.write_text(SPEC + "".join(SUBPACKAGE.format(number=n) for n in range(1, packages)))
    macros = (f"_topdir {scratch}/build", f"_rpmdir {scratch}/rpms", f"_dbpath {scratch}/db")
    defines = [word for macro in macros for word in ("--define", macro)]
    subprocess.run(
        ("rpmbuild", "-bb", "--quiet", *defines, str(spec)), check=True, capture_output=True
    )
    subprocess.run(("createrepo_c", "--quiet", str(scratch / "rpms")), check=True)
    (scratch / "driver.py").write_text(DRIVER)
    first = Path("/usr/bin/dnf").read_bytes().splitlines()[0]
    python = first[2:].decode().split()[0] if first.startswith(b"#!") else ""
    if not python:
        sys.exit("bench: /usr/bin/dnf is no dnf 4; install dnf")
    argv = (python, str(scratch / "driver.py"), str(plugin), str(scratch / "rpms"), str(scratch))
    told = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    count, figures = json.loads(told.splitlines()[-1])
    return [_row(f"dnf: this plugin, loaded and asked, {count} packages", figures)]
