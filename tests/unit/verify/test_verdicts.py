"""What a forbidden pair is blamed on: a relation that is missing, or what it fails to match."""

from dataclasses import replace

import pytest

from tests.verify_samples import swapped, verify, with_relations
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.relation import Operator
from toolchain.model.release import Format
from toolchain.verify.finding import Finding, Kind

Files = tuple[PackageFile, ...]
SERVER = "fleetdesk-server conflicts fleetdesk-schema < 14"
DATABASE = "fleetdesk-database conflicts fleetdesk-server < 4.0.0"


def pick(files: Files, name: str, version: str, format_: Format) -> PackageFile:
    (found,) = (
        file for file in files if (file.name, file.version, file.format) == (name, version, format_)
    )
    return found


def provided(version: str | None) -> Carried:
    operator = None if version is None else Operator.EQUAL
    clause = Clause(name="fleetdesk-schema", operator=operator, version=version)
    return Carried(field=Field.PROVIDES, clauses=(clause,))


def about(findings: list[Finding], words: str) -> Finding:
    (found,) = (one for one in findings if one.kind is Kind.WOULD_INSTALL and words in one.what)
    return found


PAIR = "server 4.3.0 with database 4.0.0"


@pytest.mark.parametrize(
    ("format_", "schema", "wrong"),
    [
        (Format.DEB, (provided(None),), "'Provides: fleetdesk-schema'"),
        (Format.DEB, (provided("14"),), "'Provides: fleetdesk-schema = 14'"),
        (Format.RPM, (provided("14"),), "'Provides: fleetdesk-schema = 14'"),
        (Format.RPM, (), "nothing"),
    ],
)
def test_a_conflict_that_is_there_is_no_cure_for_a_wrong_provides(
    files: Files, format_: Format, schema: tuple[Carried, ...], wrong: str
):
    file = pick(files, "fleetdesk-database", "4.0.0-1", format_)
    others = [one for one in file.relations if not one.mentions(frozenset(("fleetdesk-schema",)))]
    bad = with_relations(file, (*schema, *others))
    finding = about(verify(swapped(files, file, bad)).findings, PAIR)
    assert finding.cure == (
        f"'{SERVER}' is there already: let fleetdesk-database provide 'fleetdesk-schema = 11' "
        f"in place of {wrong}"
    )
    assert finding.relation == wrong.strip("'").replace("nothing", "")


def test_a_conflict_that_is_missing_is_the_cure_whatever_is_provided(files: Files):
    server = pick(files, "fleetdesk-server", "4.3.0-1", Format.DEB)
    kept = [one for one in server.relations if one.field is not Field.CONFLICTS]
    found = verify(swapped(files, server, with_relations(server, kept))).findings
    assert about(found, PAIR).cure == f"carry '{SERVER}'"


@pytest.mark.parametrize("format_", Format)
def test_a_conflict_that_is_there_is_no_cure_for_an_epoch(files: Files, format_: Format):
    server = pick(files, "fleetdesk-server", "3.9.0-1", format_)
    version = f"1:{server.version}"
    relations = tuple(
        replace(one, clauses=(replace(one.clauses[0], version=version),))
        if one.clauses[0].name == server.name
        else one
        for one in server.relations
    )
    lifted = replace(server, version=version, relations=relations)
    findings = verify(swapped(files, server, lifted)).findings
    missed = f"it does not reach {server.name} {version}, so version that without the epoch"
    finding = about(findings, "server 3.9.0 with database 4.1.0")
    assert finding.cure == f"'{DATABASE}' is there already: {missed}"
    assert finding.relation == f"{server.name} {version}"
    shard = about(findings, "server 3.9.0 with shard at schema 12 ")
    assert shard.cure == (
        "'fleetdesk-shard-NAME conflicts fleetdesk-server < 4.0.0' is there already: " + missed
    )
