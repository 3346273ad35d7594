"""A repository and a host, written down for apt and dose-debcheck; pure.

The packages' own paragraphs stand there word for word, so that each tool reads the relations by
itself. What they need of the world outside is provided by one package of that name.
"""

from collections.abc import Iterable

from toolchain.model.carried import Clause, PackageFile
from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Operator
from toolchain.plan.relations import shard_relations
from toolchain.verify.halves import Case
from toolchain.verify.pool import known_names, shard_version

OUTSIDE = "interlock-outside"
SLOTS = ("one", "two")
_OPERATORS = {Operator.EARLIER: "<<", Operator.LATER: ">>"}


def satisfying(clause: Clause) -> str | None:
    """A version that lies within a bound; None where there is no bound."""
    match clause.operator:
        case None:
            return None
        case Operator.EARLIER:
            return f"{clause.version}~"
        case Operator.LATER:
            return f"{clause.version}+1"
        case Operator.EARLIER_OR_EQUAL | Operator.EQUAL | Operator.LATER_OR_EQUAL:
            return clause.version


def outside_clauses(files: Iterable[PackageFile], known: frozenset[str]) -> tuple[Clause, ...]:
    """What the world outside must provide, with a version that satisfies each demand."""
    found: dict[Clause, None] = {}
    for file in files:
        for relation in file.relations:
            if relation.field.demands and not relation.mentions(known):
                clause = relation.clauses[0]
                version = satisfying(clause)
                operator = None if version is None else Operator.EQUAL
                found[Clause(name=clause.name, operator=operator, version=version)] = None
    return tuple(sorted(found, key=str))


def _stanza(**fields: str) -> str:
    return "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items() if value)


def outside(case: Case) -> str:
    """The package that stands for everything else on a host."""
    clauses = outside_clauses(case.files, known_names(case.names, case.files))
    provides = (
        clause.name if clause.version is None else f"{clause.name} (= {clause.version})"
        for clause in clauses
    )
    return _local(OUTSIDE, "1", Provides=", ".join(provides))


def _local(name: str, version: str, **fields: str) -> str:
    return _stanza(
        Package=name,
        Version=version,
        Architecture="all",
        Maintainer="Interlock <interlock@localhost>",
        Description="stands for what a host has",
        **fields,
        # apt takes no package from an index that doesn't say where to fetch it.
        Filename=f"./{name}.deb",
        Size="1",
        SHA256="0" * 64,
    )


def shard(case: Case, slot: str, state: ShardHandshake) -> str:
    """The local package of a remote shard, protected as a real one is."""
    fields: dict[str, list[str]] = {}
    for relation in shard_relations(case.names, state):
        assert relation.operator is not None  # noqa: S101  (the law always bounds)
        operator = _OPERATORS.get(relation.operator, relation.operator.value)
        text = f"{relation.name} ({operator} {relation.version})"
        fields.setdefault(relation.kind.value.title(), []).append(text)
    return _local(
        case.names.shard_package(slot),
        shard_version(state),
        Protected="yes",
        **{name: ", ".join(items) for name, items in fields.items()},
    )


def offered(file: PackageFile) -> str:
    """A package as a repository's index offers it (Debian's repository format, 1.3)."""
    return (
        f"{file.control}\nFilename: ./{file.file_name}\nSize: {file.size}\nSHA256: {file.sha256}\n"
    )


def installed(paragraph: str) -> str:
    """A package as dpkg's status file knows it."""
    return f"{paragraph.rstrip()}\nStatus: install ok installed\n"


def index(paragraphs: Iterable[str]) -> str:
    """Paragraphs with an empty line between."""
    return "\n".join(paragraphs)


def case_index(case: Case, *, shards: bool) -> str:
    """Everything that is offered; with `shards`, every state of two shards too."""
    rows = [outside(case), *(offered(file) for file in case.files)]
    rows += [offered(file) for file in case.others if file.control]
    if shards:
        rows += [shard(case, slot, state) for slot in SLOTS for state in case.states]
    return index(rows)
