"""Every relation of every package, tampered with in every way: all are found."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.verify_samples import swapped, verify, with_relations
from toolchain.model.carried import Carried, Field, PackageFile
from toolchain.model.law import compatible
from toolchain.model.relation import Operator
from toolchain.model.release import Format, Product
from toolchain.verify.expected import law_relations, relation_findings
from toolchain.verify.finding import Kind
from toolchain.verify.gather import gather
from toolchain.verify.halves import Case, DatabaseHalf, ServerHalf
from toolchain.verify.libsolv import ask_libsolv
from toolchain.verify.questions import law_rows
from toolchain.verify.run import planned_relations

FIELDS = {
    Format.DEB: {
        *(Field.PROVIDES, Field.CONFLICTS, Field.DEPENDS, Field.PRE_DEPENDS, Field.RECOMMENDS),
        *(Field.SUGGESTS, Field.ENHANCES, Field.BREAKS, Field.REPLACES),
    },
    Format.RPM: {
        *(Field.PROVIDES, Field.CONFLICTS, Field.REQUIRES, Field.RECOMMENDS, Field.SUGGESTS),
        *(Field.SUPPLEMENTS, Field.ENHANCES, Field.OBSOLETES),
    },
}
Half = ServerHalf | DatabaseHalf


def shifted(version: str, by: int) -> str | None:
    """The next version up or down, in the last number that stands in it."""
    upstream, dash, revision = version.partition("-")
    match = re.fullmatch(r"(.*?)([0-9]+)", upstream)
    if match is None:
        return None
    number = int(match[2]) + by
    return None if number < 0 else f"{match[1]}{number}{dash}{revision}"


def variants(relation: Carried, format_: Format) -> Iterator[tuple[str, Carried | None]]:
    """Every way to tamper with a relation; None drops it."""
    (clause,) = relation.clauses
    yield "dropped", None
    if clause.version is not None:
        for name, by in (("up by one", 1), ("down by one", -1)):
            version = shifted(clause.version, by)
            if version is not None:
                yield name, replace(relation, clauses=(replace(clause, version=version),))
        bare = replace(clause, operator=None, version=None)
        yield "unversioned", replace(relation, clauses=(bare,))
        for operator in Operator:
            if operator is not clause.operator:
                other = replace(clause, operator=operator)
                yield f"with {operator.value}", replace(relation, clauses=(other,))
    for field in sorted(FIELDS[format_] - {relation.field}, key=lambda one: one.value):
        yield f"as {field.value}", replace(relation, field=field)
    yield "misnamed", replace(relation, clauses=(replace(clause, name=f"{clause.name}x"),))
    way_out = replace(clause, name="anything-else", operator=None, version=None)
    yield "with an alternative", replace(relation, clauses=(clause, way_out))


def is_rpms_own(file: PackageFile, relation: Carried) -> bool:
    """What rpmbuild adds by itself, which no plan of ours holds."""
    name = relation.clauses[0].name
    return file.format is Format.RPM and (
        name == "/bin/sh" or name.startswith(("config(", f"{file.name}("))
    )


def mutants(file: PackageFile) -> Iterator[tuple[str, PackageFile]]:
    for at, relation in enumerate(file.relations):
        if is_rpms_own(file, relation):
            continue
        for name, changed in variants(relation, file.format):
            kept = [
                *file.relations[:at],
                *((changed,) if changed else ()),
                *file.relations[at + 1 :],
            ]
            yield f"{file.file_name}: '{relation}' {name}", with_relations(file, kept)


@pytest.fixture(scope="module")
def cases(files: tuple[PackageFile, ...], fleetdesk: Product) -> list[Case]:
    return gather(files, fleetdesk).cases


def halves(cases: list[Case]) -> Iterator[tuple[Case, Half]]:
    for case in cases:
        for half in (*case.servers, *case.databases):
            yield case, half


def test_untampered_packages_have_nothing_to_be_found(
    files: tuple[PackageFile, ...], fleetdesk: Product
):
    assert verify(files).proved
    assert verify(files, fleetdesk).proved


def test_every_mutant_of_every_relation_is_found(cases: list[Case], fleetdesk: Product):
    killed, alive = 0, []
    for case, half in halves(cases):
        planned = planned_relations(fleetdesk, fleetdesk.release(half.release), half)
        for name, mutant in mutants(half.file):
            if any(relation_findings(case.names, replace(half, file=mutant), planned)):
                killed += 1
            else:
                alive.append(name)
    assert not alive
    assert killed > 1500


def test_without_specs_every_mutant_of_a_relation_of_the_law_is_found(cases: list[Case]):
    killed = 0
    for case, half in halves(cases):
        law = law_relations(case.names, half)
        for at, relation in enumerate(half.file.relations):
            if relation not in law:
                continue
            for name, changed in variants(relation, case.format):
                kept = [one for number, one in enumerate(half.file.relations) if number != at]
                mutant = with_relations(half.file, [*kept, *((changed,) if changed else ())])
                assert any(relation_findings(case.names, replace(half, file=mutant))), name
                killed += 1
    assert killed > 700


def replaced(case: Case, half: Half, file: PackageFile) -> Case:
    def swap(one: Half) -> Half:
        return replace(one, file=file) if one is half else one

    return replace(
        case,
        servers=tuple(swap(one) for one in case.servers),
        databases=tuple(swap(one) for one in case.databases),
    )


def relied_upon(case: Case, half: Half) -> bool:
    """Whether a counterpart is kept away by this half's conflict alone."""
    if isinstance(half, ServerHalf):
        shards = [*case.states, *(other.says for other in case.databases)]
        return any(
            shard.schema not in half.says.schemas and half.release in shard.servers
            for shard in shards
        )
    return any(
        server.release not in half.says.servers and half.says.schema in server.says.schemas
        for server in case.servers
    )


def test_a_dropped_conflict_lets_libsolv_install_what_it_alone_kept_away(cases: list[Case]):
    found = 0
    for case, half in halves(cases):
        kept = [one for one in half.file.relations if one.field is not Field.CONFLICTS]
        mutated = replaced(case, half, with_relations(half.file, kept))
        _, wrong = ask_libsolv(mutated, law_rows(mutated))
        assert bool(wrong) == relied_upon(case, half), half.file.file_name
        assert all(not item.question.legal for item in wrong)
        found += bool(wrong)
    assert found >= 10


def test_a_dependency_in_place_of_a_conflict_fails_with_two_shards(cases: list[Case]):
    """One shard that fits satisfies a Depends, whatever the other one is."""
    for case in cases:
        half = next(
            half
            for half in case.servers
            if any(
                not compatible(half.says, state) and half.release in state.servers
                for state in case.states
            )
        )
        needs = Field.DEPENDS if case.format is Format.DEB else Field.REQUIRES
        oldest = str(half.says.schemas.oldest)
        relations = []
        for relation in half.file.relations:
            if relation.field is Field.CONFLICTS:
                (clause,) = relation.clauses
                clause = replace(clause, operator=Operator.LATER_OR_EQUAL, version=oldest)
                relations.append(Carried(field=needs, clauses=(clause,)))
            else:
                relations.append(relation)
        mutated = replaced(case, half, with_relations(half.file, relations))
        _, wrong = ask_libsolv(mutated, law_rows(mutated))
        assert any(len(item.question.shards) == 2 for item in wrong)


def test_a_window_that_is_too_narrow_is_found_as_a_refusal(
    files: tuple[PackageFile, ...], fleetdesk: Product
):
    for format_ in Format:
        file = next(
            file
            for file in files
            if file.format is format_
            and file.name == "fleetdesk-server"
            and "4.1.0" in file.version
        )
        relations = [
            replace(one, clauses=(replace(one.clauses[0], version="99"),))
            if one.field is Field.CONFLICTS
            else one
            for one in file.relations
        ]
        answer = verify(swapped(files, file, with_relations(file, relations)), fleetdesk)
        refused = [one for one in answer.findings if one.kind is Kind.WOULD_BE_REFUSED]
        assert refused
        assert all("fleetdesk-schema < 99" in one.relation for one in refused)
