"""The relations that the law wants in a package, against those that the package carries.

Asking solvers proves the versions that exist today. A bound that is wrong by one release that
nobody has built yet shows only here.
"""

from collections.abc import Iterable, Iterator

from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.relation import Operator, Relation, RelationKind
from toolchain.model.release import Format
from toolchain.plan.relations import schema_bounds, shard_relations, window_relations
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.halves import Case, DatabaseHalf, Names, ServerHalf
from toolchain.verify.law import epoch_of


def carried(relation: Relation, format_: Format) -> Carried:
    """A planned relation as a package of that format carries it."""
    needs = Field.DEPENDS if format_ is Format.DEB else Field.REQUIRES
    field = {
        RelationKind.PROVIDES: Field.PROVIDES,
        RelationKind.CONFLICTS: Field.CONFLICTS,
        RelationKind.DEPENDS: needs,
    }[relation.kind]
    clause = Clause(name=relation.name, operator=relation.operator, version=relation.version)
    return Carried(field=field, clauses=(clause,))


def law_relations(names: Names, half: ServerHalf | DatabaseHalf) -> frozenset[Carried]:
    """What the law wants a half to say of the other half and of the schema."""
    match half:
        case ServerHalf():
            relations = window_relations(names, half.says.schemas)
        case DatabaseHalf():
            relations = shard_relations(names, half.says)
    own = (_itself(half.file),) if half.file.format is Format.RPM else ()
    return frozenset((*own, *(carried(relation, half.file.format) for relation in relations)))


def _optional(names: Names, half: ServerHalf | DatabaseHalf) -> frozenset[Carried]:
    """What binds nothing by itself: only Interlock's own packages need say a window twice."""
    if isinstance(half, DatabaseHalf) or half.file.handshake is not None:
        return frozenset()
    bounds = schema_bounds(names, half.says.schemas)
    return frozenset(carried(relation, half.file.format) for relation in bounds)


def _itself(file: PackageFile) -> Carried:
    """What every rpm provides: a name is matched by Provides alone there."""
    clause = Clause(name=file.name, operator=Operator.EQUAL, version=file.version)
    return Carried(field=Field.PROVIDES, clauses=(clause,))


def _is_rpms_own(file: PackageFile, relation: Carried) -> bool:
    """What rpmbuild adds: the name with its machine, `config(…)` and the scripts' shell."""
    clause = relation.clauses[0]
    by_machine = clause.name.startswith(f"{file.name}(") and clause.version == file.version
    if relation.field is Field.PROVIDES:
        return by_machine or clause.name == f"config({file.name})"
    return relation.field is Field.REQUIRES and (clause.name in ("/bin/sh", f"config({file.name})"))


def relation_findings(
    names: Names,
    half: ServerHalf | DatabaseHalf,
    planned: Iterable[Relation] | None = None,
) -> Iterator[Finding]:
    """Every relation that the package lacks or has too many.

    With `planned`, all relations of the package are compared. Without, those that speak of the
    pair: an ordinary dependency is nothing that a handshake knows.
    """
    file = half.file
    wanted = law_relations(names, half)
    found = frozenset(file.relations)
    if planned is None:
        found = frozenset(item for item in found if _concerns(names, item))
    else:
        wanted |= {carried(relation, file.format) for relation in planned}
    if file.format is Format.RPM:
        found = frozenset(item for item in found if not _is_rpms_own(file, item))
    wanted -= _optional(names, half) - found
    for lost in sorted(wanted - found, key=str):
        yield Finding(
            kind=Kind.RELATION,
            files=(file.path,),
            what=f"lacks '{lost}', which the law wants there",
            relation=str(lost),
            law="carried",
            solver="absent",
            cure="build it again from its spec, or write the relation in just this form",
        )
    for added in sorted(found - wanted, key=str):
        yield Finding(
            kind=Kind.RELATION,
            files=(file.path,),
            what=f"carries '{added}', which the law does not want there",
            relation=str(added),
            law="absent",
            solver="carried",
            cure=_cure(names, added),
        )


def epoch_findings(case: Case) -> Iterator[Finding]:
    """Epochs: they sort before all else, and every bound of the law is written without one.

    So a server with an epoch is out of reach for good, also for releases that nobody has built
    yet. A database package is bound by its schema; there an epoch is an upgrade that never comes.
    """
    for server in case.servers:
        file, epoch = server.file, epoch_of(server.file.version)
        if epoch:
            yield _epoch_finding(
                file,
                f"has the epoch {epoch}: no conflict with '{file.name} < VERSION', of any release "
                "or shard, reaches it",
                f"version it {_plain(file)}",
            )
    epochs = [epoch_of(half.file.version) for half in case.databases]
    for half, epoch in zip(case.databases, epochs, strict=True):
        file = half.file
        if epoch and file.handshake is not None:
            yield _epoch_finding(
                file,
                f"has the epoch {epoch}, which no spec asks for: it stays later than every release "
                "without one",
                f"version it {_plain(file)}",
            )
        elif epoch > min(epochs):
            yield _epoch_finding(
                file,
                f"has the epoch {epoch} and other releases of {file.name} have "
                f"{min(epochs)}: it stays later than all of them",
                f"give every release of {file.name} one epoch",
            )


def _plain(file: PackageFile) -> str:
    return file.version.rpartition(":")[2]


def _epoch_finding(file: PackageFile, what: str, cure: str) -> Finding:
    return Finding(
        kind=Kind.EPOCH,
        files=(file.path,),
        what=what,
        law="no epoch",
        solver=f"epoch {epoch_of(file.version)}",
        cure=cure,
    )


def _concerns(names: Names, relation: Carried) -> bool:
    return relation.mentions(names.all) or any(
        names.is_shard(clause.name) for clause in relation.clauses
    )


def _cure(names: Names, relation: Carried) -> str:
    if relation.field.demands and relation.mentions(frozenset((names.schema_package,))):
        return (
            "take it out and conflict with what lies outside the window: "
            "any one shard satisfies a dependency, a conflict binds every shard"
        )
    if relation.field in (Field.BREAKS, Field.RECOMMENDS, Field.SUGGESTS):
        return f"take it out; only Conflicts refuses a pair for certain, {relation.field.value} not"
    return "take it out, or build the package again from its spec"
