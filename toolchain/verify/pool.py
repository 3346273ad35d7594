"""libsolv's pool, filled from what packages carry; the one place that knows its bindings.

The wheel has no reader of package files, so relations come from `edge.package_files`. apt and
dnf, which read the files by themselves, are the witnesses against a slip there.
"""

from collections.abc import Iterable
from typing import Any

from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.law import ShardHandshake
from toolchain.model.relation import Operator
from toolchain.model.release import Format
from toolchain.plan.relations import shard_relations
from toolchain.verify.expected import carried
from toolchain.verify.halves import Names


class SolverPool:
    """Packages as libsolv sees them, in Debian's manner or in rpm's.

    Dependencies on what the world outside provides are left out: whether a host has python3 is
    no question of the law. A dependency on a name that some package here provides stays.
    """

    def __init__(self, format_: Format) -> None:
        import solv  # noqa: PLC0415  (a compiled library that most commands don't need)

        self._solv: Any = solv
        self.pool: Any = solv.Pool()
        deb = format_ is Format.DEB
        kind = self.pool.DISTTYPE_DEB if deb else self.pool.DISTTYPE_RPM
        self.pool.setdisttype(kind)
        self._format = format_
        self._operators = {
            Operator.EARLIER: solv.REL_LT,
            Operator.EARLIER_OR_EQUAL: solv.REL_LT | solv.REL_EQ,
            Operator.EQUAL: solv.REL_EQ,
            Operator.LATER_OR_EQUAL: solv.REL_GT | solv.REL_EQ,
            Operator.LATER: solv.REL_GT,
        }
        self._fields = {
            Field.PROVIDES: solv.SOLVABLE_PROVIDES,
            Field.CONFLICTS: solv.SOLVABLE_CONFLICTS,
            Field.BREAKS: solv.SOLVABLE_CONFLICTS,
            Field.DEPENDS: solv.SOLVABLE_REQUIRES,
            Field.PRE_DEPENDS: solv.SOLVABLE_REQUIRES,
            Field.REQUIRES: solv.SOLVABLE_REQUIRES,
            Field.RECOMMENDS: solv.SOLVABLE_RECOMMENDS,
            Field.SUGGESTS: solv.SOLVABLE_SUGGESTS,
            Field.SUPPLEMENTS: solv.SOLVABLE_SUPPLEMENTS,
            Field.ENHANCES: solv.SOLVABLE_ENHANCES,
        }
        if not deb:
            # In a deb, Replaces is about files; only together with Conflicts would it obsolete.
            self._fields[Field.OBSOLETES] = solv.SOLVABLE_OBSOLETES

    def repository(self, name: str) -> Any:
        """A new, empty repository of the pool."""
        return self.pool.add_repo(name)

    def add(self, repository: Any, file: PackageFile, known: frozenset[str]) -> Any:
        """Add a package; `known` are the names that something in the pool provides."""
        solvable = self._solvable(repository, file.name, file.version)
        for relation in file.relations:
            field = self._fields.get(relation.field)
            if field is None or (relation.field.demands and not relation.mentions(known)):
                continue
            solvable.add_deparray(field, self._relation(relation))
        return solvable

    def add_shard(self, repository: Any, names: Names, slot: str, state: ShardHandshake) -> Any:
        """Add the local package that stands for a remote shard in that state."""
        solvable = self._solvable(repository, names.shard_package(slot), shard_version(state))
        for relation in shard_relations(names, state):
            item = carried(relation, self._format)
            solvable.add_deparray(self._fields[item.field], self._relation(item))
        if self._format is Format.RPM:
            own = Clause(name=solvable.name, operator=Operator.EQUAL, version=solvable.evr)
            solvable.add_deparray(self._fields[Field.PROVIDES], self._clause(own))
        return solvable

    def _solvable(self, repository: Any, name: str, version: str) -> Any:
        solvable = repository.add_solvable()
        deb = self._format is Format.DEB
        solvable.name, solvable.evr, solvable.arch = name, version, "all" if deb else "noarch"
        if deb:  # dpkg matches a package by its name without any Provides
            own = Clause(name=name, operator=Operator.EQUAL, version=version)
            solvable.add_deparray(self._fields[Field.PROVIDES], self._clause(own))
        return solvable

    def _relation(self, relation: Carried) -> int:
        ids = [one for clause in relation.clauses for one in self._ids(relation.field, clause)]
        found = ids[-1]
        for other in reversed(ids[:-1]):
            found = int(self.pool.rel2id(other, found, self._solv.REL_OR))
        return found

    def _ids(self, field: Field, clause: Clause) -> tuple[int, ...]:
        """A clause as libsolv's identifiers, any of which does.

        In Debian an unversioned Provides satisfies unversioned relations only (Policy 7.5). The
        wheel's libsolv lets it match every version, so it goes under a name of its own.
        """
        if self._format is Format.RPM or clause.operator is not None:
            return (self._clause(clause),)
        unversioned = int(self.pool.str2id(f"{clause.name} without a version"))
        return (unversioned,) if field is Field.PROVIDES else (self._clause(clause), unversioned)

    def _clause(self, clause: Clause) -> int:
        if clause.name.startswith("("):
            return int(self.pool.parserpmrichdep(clause.name).id)
        name = int(self.pool.str2id(clause.name))
        if clause.operator is None:
            return name
        version = self.pool.str2id(str(clause.version))
        return int(self.pool.rel2id(name, version, self._operators[clause.operator]))

    def install(self, solvable: Any, extra: int = 0) -> Any:
        """The job that asks for just this package."""
        job = self._solv.Job
        return self.pool.Job(job.SOLVER_INSTALL | job.SOLVER_SOLVABLE | extra, solvable.id)

    def forbid(self, name: str) -> Any:
        """The job that keeps every package of a name away."""
        job = self._solv.Job
        return self.pool.Job(job.SOLVER_ERASE | job.SOLVER_SOLVABLE_NAME, self.pool.str2id(name))


def known_names(names: Names, files: Iterable[PackageFile]) -> frozenset[str]:
    """Every name that the files are or provide, and the names of the law."""
    found = set(names.all)
    for file in files:
        found.add(file.name)
        for relation in file.of(Field.PROVIDES):
            found |= {clause.name for clause in relation.clauses}
    return frozenset(found)


def shard_version(state: ShardHandshake) -> str:
    """A version for a shard package, so that two states of one shard differ in it."""
    ceiling = f"+{state.servers.below.packaged}" if state.servers.below else ""
    return f"{state.schema}+{state.servers.oldest.packaged}{ceiling}"
