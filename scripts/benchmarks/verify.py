"""`scripts/bench verify`: 100 servers against 100 schemas in both formats, asked of libsolv.

The packages are those of a synthetic chain of releases with realistic windows; their relations are
the planned ones and go the way of read ones into the solver. `apt-get -s` and dnf answer a sample
of the same pairs in the same run, one process for each pair and one for each processor at a time.
"""

import argparse
import random
import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import markdown, platform_line, scratch_directory
from toolchain.edge.process import Command, Processes
from toolchain.model.carried import Field, PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.verify import rpm_text
from toolchain.verify.apt import Apt, find_apt
from toolchain.verify.expected import law_relations
from toolchain.verify.halves import Case, DatabaseHalf, Names, ServerHalf
from toolchain.verify.libsolv import ask_libsolv, libsolv_version
from toolchain.verify.parallel import each
from toolchain.verify.questions import Question, law_rows

NAMES = Names.usual("bench")
# How far back a server's and a database's window reaches, in releases; every fifth goes further.
_REACH, _FURTHER = 3, 7


def _file(format_: Format, name: str, version: Version) -> PackageFile:
    deb = format_ is Format.DEB
    full = f"{version.packaged}-1"
    return PackageFile(
        path=f"/{name}_{full}.{format_.value}",
        format=format_,
        name=name,
        version=full,
        architecture="all" if deb else "noarch",
        relations=(),
        protected=True,
        sha256="0" * 64,
        size=1,
    )


def _filled(half: ServerHalf | DatabaseHalf) -> PackageFile:
    """The package with the relations that the law wants, and the control that apt would read."""
    relations = tuple(sorted(law_relations(NAMES, half), key=str))
    fields: dict[str, list[str]] = {}
    for item in relations:
        clause = item.clauses[0]
        operator = str(clause.operator and clause.operator.value).replace("<", "<<")
        text = f"{clause.name} ({operator} {clause.version})"
        fields.setdefault(item.field.value, []).append(text)
    control = {
        "Package": half.file.name,
        "Version": half.file.version,
        "Architecture": "all",
        "Maintainer": "Bench <bench@example.com>",
        "Protected": "yes",
        **{name: ", ".join(items) for name, items in fields.items()},
        "Description": "measured",
    }
    text = "\n".join(f"{name}: {value}" for name, value in control.items())
    return replace(half.file, relations=relations, control=text)


def chain(format_: Format, releases: int) -> Case:
    """A case with a server and a database package for each release, and a schema for each."""
    servers, databases = [], []
    versions = [Version(1 + at // 10, at % 10, 0) for at in range(releases)]
    for at, version in enumerate(versions):
        oldest = max(0, at - (_FURTHER if at % 5 == 0 else _REACH))
        says = ServerHandshake(
            version=version, schemas=Window(10 + oldest), peers=Window(versions[oldest])
        )
        server = ServerHalf(file=_file(format_, NAMES.server_package, version), says=says)
        servers.append(replace(server, file=_filled(server)))
        shard = ShardHandshake(schema=10 + at, servers=Window(versions[max(0, at - _REACH)]))
        file = _file(format_, NAMES.database_package, version)
        database = DatabaseHalf(file=file, release=version, says=shard)
        databases.append(replace(database, file=_filled(database)))
    return Case(
        names=NAMES,
        format=format_,
        architecture=servers[0].file.architecture,
        servers=tuple(servers),
        databases=tuple(databases),
        states=tuple(half.says for half in databases),
    )


def libsolv(releases: int) -> tuple[float, int, int, int]:
    """Seconds, pairs, questions and disagreements of both formats, as `interlock verify` asks."""
    start = time.perf_counter()
    pairs = questions = wrong = 0
    for format_ in Format:
        case = chain(format_, releases)
        count, found = ask_libsolv(case, law_rows(case))
        pairs += len(case.servers) * len(case.databases)
        questions += count
        wrong += len(found)
    return time.perf_counter() - start, pairs, questions, wrong


def _sample(case: Case, size: int) -> list[Question]:
    """Pairs from all over the matrix, legal ones and others in turn."""
    pairs = [
        Question(row.server, (), number, fits)
        for row in law_rows(case)
        for number, fits in enumerate(row.databases)
    ]
    chosen = random.Random(1)  # noqa: S311  (the same sample in every run)
    legal = [pair for pair in pairs if pair.legal]
    illegal = [pair for pair in pairs if not pair.legal]
    return chosen.sample(legal, size // 2) + chosen.sample(illegal, size - size // 2)


def apt_seconds(case: Case, size: int, work: Path, processes: Processes) -> tuple[str, float, int]:
    """The label, seconds for each pair and disagreements of apt-get, one process for each."""
    work.mkdir()
    (program, *_) = find_apt(processes)
    apt = Apt(program=program, processes=processes, work=work)
    sample = _sample(case, size)
    start = time.perf_counter()
    wrong = apt.ask(case, sample, lambda *_: None)
    return f"{apt.label} -s", (time.perf_counter() - start) / size, len(wrong)


def dnf_seconds(case: Case, size: int, work: Path, processes: Processes) -> tuple[str, float, int]:
    """The label, seconds for each pair and disagreements of dnf, one process for each.

    The packages stand in the index of a local repository, so that dnf reads no package file.
    """
    repodata = work / "repository/repodata"
    repodata.mkdir(parents=True)
    content = primary([half.file for half in (*case.servers, *case.databases)])
    (repodata / "primary.xml").write_bytes(content)
    (repodata / "repomd.xml").write_bytes(rpm_text.repomd(content))
    (work / "dnf.conf").write_text("[main]\nplugins=0\nbest=True\nreposdir=/nonexistent\n")
    options = {
        "config": work / "dnf.conf",
        "installroot": work / "root",
        "repofrompath": f"bench,file://{repodata.parent}",
        "setopt": f"cachedir={work}/cache",
        "releasever": "1",
    }
    argv = ("dnf", *(f"--{name}={value}" for name, value in options.items()))
    words = (*argv, "--disableplugin=*", "--nogpgcheck", "--assumeno", "install")
    version = processes.run(Command(argv=("dnf", "--version"))).split()[0]

    def differs(question: Question) -> bool:
        server, database = case.servers[question.server], case.databases[question.database or 0]
        named = (f"{half.file.name}-{half.file.version}" for half in (server, database))
        done = processes.finish(Command(argv=(*words, *named)))
        return ("Operation aborted" in done.errors + done.text) != question.legal

    sample = _sample(case, size)
    differs(sample[0])  # fills the cache, as a first run would
    start = time.perf_counter()
    wrong = sum(each(differs, sample, processes))
    return f"dnf {version} --assumeno", (time.perf_counter() - start) / size, wrong


def primary(files: Sequence[PackageFile]) -> bytes:
    """An index of these packages."""
    rows = [
        rpm_text.package(
            file.name,
            file.version.removesuffix("-1"),
            [item.clauses[0] for item in file.of(Field.PROVIDES)],
            [item.clauses[0] for item in file.of(Field.CONFLICTS)],
        )
        for file in files
    ]
    return rpm_text.metadata(rows)


def peak_mib() -> float:
    """The largest process so far, this one or one that it started."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) / 1024


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `scripts/bench verify` can be told."""
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--releases", type=int, default=100)
    parser.add_argument("--sample", type=int, default=40, help="pairs that apt and dnf answer")


def main(options: argparse.Namespace) -> None:
    """The table of `scripts/bench verify`."""
    print(f"{platform_line()}, median of {options.runs} runs")
    runs = [libsolv(options.releases) for _ in range(options.runs)]
    seconds = statistics.median(run[0] for run in runs)
    _, pairs, questions, wrong = runs[0]
    mib = peak_mib()
    label = f"libsolv {libsolv_version()}, {questions} questions"
    rows = [(label, f"{seconds:.2f}", f"{1000 * seconds / pairs:.2f}", f"{mib:.0f}", str(wrong))]
    with scratch_directory() as scratch:
        processes = Processes()
        each = pairs // 2
        for measure, format_ in ((apt_seconds, Format.DEB), (dnf_seconds, Format.RPM)):
            case = chain(format_, options.releases)
            work = scratch / format_.value
            name, second, wrong = measure(case, options.sample, work, processes)
            label = f"{name}, {each} pairs of {format_.value}s, from {options.sample}"
            rows.append((label, f"{second * each:.0f}", f"{1000 * second:.0f}", "", str(wrong)))
    title = f"{options.releases} servers against {options.releases} schemas, deb and rpm"
    columns = ("", "seconds", "ms for each pair", "memory (MiB)", "disagreements")
    markdown(title, columns, rows)
    print("\nThe seconds of apt and dnf are those of the sample, extrapolated to all pairs.")
