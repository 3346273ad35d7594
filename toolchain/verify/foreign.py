"""What is wrong with packages before any pair is asked about: names, content and duplicates."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from toolchain.model.carried import Carried, Field, PackageFile
from toolchain.model.relation import Operator
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.halves import Names

_TAKES_OVER = (Field.OBSOLETES, Field.REPLACES)


def provides_findings(names: Names, file: PackageFile) -> Iterator[Finding]:
    """A schema without a version, or with several: no solver can hold such a package."""
    schemas = [item for item in file.of(Field.PROVIDES) if _of(item, names.schema_package)]
    for item in schemas:
        if item.clauses[0].operator is not Operator.EQUAL:
            yield Finding(
                kind=Kind.PROVIDES,
                files=(file.path,),
                what=f"carries '{item}' without '= VERSION': dpkg matches it with no range, "
                "rpm with every range",
                relation=str(item),
                cure=f"provide '{names.schema_package} = N' with the schema's number",
            )
    if len(schemas) > 1:
        listed = " and ".join(f"'{item}'" for item in schemas)
        yield Finding(
            kind=Kind.PROVIDES,
            files=(file.path,),
            what=f"provides the schema more than once: {listed}",
            relation=str(schemas[1]),
            cure="one package stands for one shard: keep the one that is true",
        )


def stand_in_findings(file: PackageFile) -> Iterator[Finding]:
    """Programs that hold the place of the release's own: the package fits, and serves nobody."""
    for path in file.stand_ins:
        yield Finding(
            kind=Kind.STAND_IN,
            files=(file.path,),
            what=f"{path} is the stand-in that an import wrote, and no program of the release",
            cure="put the release's program into the payload, and build the package again",
        )


def foreign_findings(names: Names, file: PackageFile) -> Iterator[Finding]:
    """Another package that claims the pair's names: every relation of the law binds it too."""
    for item in file.relations:
        claimed = sorted(name for name in names.all if _of(item, name))
        if not claimed:
            continue
        if item.field is Field.PROVIDES:
            what = f"is no package of {names.product}, yet carries '{item}': it would be taken for "
            what += "a shard" if claimed == [names.schema_package] else claimed[0]
        elif item.field in _TAKES_OVER:
            what = f"is no package of {names.product}, yet carries '{item}': it would replace it"
        elif item.field in (Field.CONFLICTS, Field.BREAKS):
            what = f"is no package of {names.product}, yet carries '{item}': it would keep it out"
        else:
            continue
        yield Finding(
            kind=Kind.FOREIGN,
            files=(file.path,),
            what=what,
            relation=str(item),
            cure="take the package out of the repository, or the relation out of the package",
        )


def _of(relation: Carried, name: str) -> bool:
    return any(clause.name == name for clause in relation.clauses)


def distinct(files: Iterable[PackageFile]) -> tuple[tuple[PackageFile, ...], tuple[Finding, ...]]:
    """Each package once, and a finding where one version stands for different bytes."""
    groups: defaultdict[tuple[str, ...], list[PackageFile]] = defaultdict(list)
    for file in files:
        groups[file.format.value, file.name, file.version, file.architecture].append(file)
    kept, findings = [], []
    for group in groups.values():
        kept.append(group[0])
        differing = {file.sha256: file for file in reversed(group)}
        if len(differing) > 1:
            findings.append(
                Finding(
                    kind=Kind.SAME_VERSION,
                    files=tuple(sorted(file.path for file in differing.values())),
                    what=f"are all {group[0].name} {group[0].version}, with different bytes",
                    cure="raise the revision of the one that is right, and take the others out",
                )
            )
    return tuple(kept), tuple(findings)
