"""Packages to cases: halves, laws, foreign claims, and what says nothing that can be relied on."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.verify_samples import swapped, verify
from toolchain.errors import UsageError
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.law import ServerHandshake, compatible
from toolchain.model.relation import Operator
from toolchain.model.release import Format, Product
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.gather import gather
from toolchain.verify.law import HandshakeError, read_handshake, release_of
from toolchain.verify.questions import ask_row, counterparts, edge_questions, law_rows

Files = tuple[PackageFile, ...]


def pick(files: Files, name: str, version: str, format_: Format = Format.DEB) -> PackageFile:
    (found,) = (
        file for file in files if (file.name, file.version, file.format) == (name, version, format_)
    )
    return found


def of_kind(findings: list[Finding], kind: Kind) -> list[Finding]:
    return [finding for finding in findings if finding.kind is kind]


def provides(name: str, version: str | None = None) -> Carried:
    operator = None if version is None else Operator.EQUAL
    return Carried(
        field=Field.PROVIDES, clauses=(Clause(name=name, operator=operator, version=version),)
    )


def test_a_case_for_each_format_with_halves_in_the_order_of_releases(files: Files):
    cases = gather(files).cases
    assert [case.format for case in cases] == [Format.DEB, Format.RPM]
    for case in cases:
        releases = [half.release for half in case.servers]
        assert releases == sorted(releases)
        assert len(case.servers) == len(case.databases) == 7


def test_the_handshakes_say_what_the_specs_say(files: Files, fleetdesk: Product):
    own, specs = gather(files), gather(files, fleetdesk)
    assert own.cases == specs.cases
    assert own.findings == specs.findings == []


def test_every_question_has_the_answer_of_the_law(files: Files):
    for case in gather(files).cases:
        asked = set()
        for row in law_rows(case):
            for question in (*ask_row(row), *edge_questions(row)):
                server, others = counterparts(case, question)
                shards = [getattr(other, "says", other) for other in others]
                fits = all(compatible(server.says, shard) for shard in shards)
                assert question.legal == fits
                asked.add(question.key)
        servers, states = range(len(case.servers)), range(len(case.states))
        assert {(one, (two,), None) for one in servers for two in states} <= asked
        assert {(one, (), two) for one in servers for two in servers} <= asked
        assert any(len(shards) == 2 for _, shards, _ in asked)


def test_a_foreign_package_that_claims_our_names_is_reported(files: Files):
    like = pick(files, "fleetdesk-database", "4.1.0-1")
    claims = {
        "provides": (provides("fleetdesk-schema", "99"), "taken for a shard"),
        "replaces": (
            Carried(field=Field.REPLACES, clauses=(Clause(name="fleetdesk-database"),)),
            "replace",
        ),
        "conflicts": (
            Carried(field=Field.CONFLICTS, clauses=(Clause(name="fleetdesk-server"),)),
            "keep it out",
        ),
    }
    for name, (relation, words) in claims.items():
        stranger = replace(like, name="stranger", path=f"/{name}.deb", relations=(relation,))
        (finding,) = of_kind(verify((*files, stranger)).findings, Kind.FOREIGN)
        assert words in finding.what
        assert finding.files == (f"/{name}.deb",)
    harmless = replace(like, name="helper", path="/helper.deb", relations=())
    assert verify((*files, harmless)).proved


def test_a_schema_without_a_version_and_two_of_them_are_reported(files: Files):
    file = pick(files, "fleetdesk-database", "4.1.0-1")
    others = tuple(one for one in file.relations if one.field is not Field.PROVIDES)
    for relations in (
        (provides("fleetdesk-schema"),),
        (provides("fleetdesk-schema", "12"), provides("fleetdesk-schema", "9")),
    ):
        bad = replace(file, relations=(*relations, *others))
        assert of_kind(verify(swapped(files, file, bad)).findings, Kind.PROVIDES)


def test_one_version_with_different_bytes_is_reported_and_the_same_bytes_are_not(files: Files):
    file = pick(files, "fleetdesk-server", "4.1.0-1")
    same = replace(file, path="/mirror/same.deb")
    assert verify((*files, same)).proved
    other = replace(same, sha256="0" * 64)
    (finding,) = of_kind(verify((*files, other)).findings, Kind.SAME_VERSION)
    assert set(finding.files) == {file.path, other.path}


def edited(file: PackageFile, **changes: Any) -> PackageFile:
    document = json.loads(file.handshake or b"") | changes
    return replace(file, handshake=json.dumps(document).encode())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"release": "4.0.0"}, "its version is 4.1.0-1 and its release.json is of 4.0.0"),
        ({"product": "other"}, "of the product other"),
        ({"server": None}, "lacks 'server'"),
        ({"release": "4.1"}, "is not a version"),
        ({"database": {"schema": True, "servers": {"oldest": "4.0.0"}}}, "not a schema version"),
    ],
)
def test_a_handshake_that_says_something_else_is_reported(
    files: Files, changes: dict[str, Any], words: str
):
    file = pick(files, "fleetdesk-database", "4.1.0-1")
    answer = verify(swapped(files, file, edited(file, **changes)))
    (finding,) = of_kind(answer.findings, Kind.HANDSHAKE)
    assert words in finding.what


def test_halves_of_one_release_must_say_the_same(files: Files):
    file = pick(files, "fleetdesk-server", "4.1.0-1")
    document = json.loads(file.handshake or b"")
    document["database"]["schema"] = 11
    forged = replace(file, handshake=json.dumps(document).encode())
    findings = of_kind(verify(swapped(files, file, forged)).findings, Kind.HANDSHAKE)
    assert any("different windows" in finding.what for finding in findings)


def test_a_handshake_beside_the_specs_must_be_theirs(files: Files, fleetdesk: Product):
    """Relations and handshake tampered with alike fool a look at the packages alone."""
    file = pick(files, "fleetdesk-server", "4.1.0-1")
    document = json.loads(file.handshake or b"")
    document["server"]["schema"]["oldest"] = 10
    forged = replace(file, handshake=json.dumps(document).encode())
    findings = of_kind(verify(swapped(files, file, forged), fleetdesk).findings, Kind.HANDSHAKE)
    assert any("other windows than its spec" in finding.what for finding in findings)


def test_a_package_that_should_be_protected_is_reported(files: Files, fleetdesk: Product):
    for format_ in Format:
        file = pick(files, "fleetdesk-database", "4.1.0-1", format_)
        bare = replace(file, protected=False)
        answer = verify(swapped(files, file, bare), fleetdesk)
        assert [one.files for one in of_kind(answer.findings, Kind.PROTECTION)] == [(file.path,)]


def test_what_has_no_law_or_no_counterpart_is_a_sentence(files: Files, fleetdesk: Product):
    server = pick(files, "fleetdesk-server", "4.1.0-1")
    with pytest.raises(UsageError, match="stands alone: no deb database package"):
        verify([server])
    assert verify([server], fleetdesk).proved
    with pytest.raises(UsageError, match="stands alone: no deb server package"):
        verify([pick(files, "fleetdesk-database", "4.1.0-1")], fleetdesk)
    with pytest.raises(UsageError, match="none carries a release.json"):
        verify([replace(server, handshake=None)])
    with pytest.raises(UsageError, match="no package here is called"):
        verify([replace(server, name="other", handshake=None)], fleetdesk)


def test_several_products_are_verified_each(files: Files):
    def renamed(file: PackageFile) -> PackageFile:
        text = repr(file.handshake.decode() if file.handshake else "")
        relations = tuple(
            replace(
                one,
                clauses=tuple(
                    replace(clause, name=clause.name.replace("fleetdesk", "twin"))
                    for clause in one.clauses
                ),
            )
            for one in file.relations
        )
        assert "fleetdesk" in text
        return replace(
            file,
            name=file.name.replace("fleetdesk", "twin"),
            path=file.path.replace("fleetdesk", "twin"),
            handshake=(file.handshake or b"").replace(b"fleetdesk", b"twin"),
            relations=relations,
        )

    answer = verify((*files, *map(renamed, files)))
    assert answer.proved
    assert answer.products == ("fleetdesk", "twin")
    assert answer.pairs == 2 * 2 * 49


@pytest.mark.parametrize(
    ("package", "release"),
    [
        ("4.1.0-1", "4.1.0"),
        ("2:4.1.0~rc1-1.el9", "4.1.0-rc1"),
        ("4.1.0", "4.1.0"),
        ("4.1-1", None),
        ("1.2.0-5-gabc", None),
        ("", None),
    ],
)
def test_the_release_that_a_package_version_names(package: str, release: str | None):
    found = release_of(package)
    assert (None if found is None else str(found)) == release


@pytest.mark.parametrize("document", [None, [], "text", {}, {"product": 1}, {"release": "1.0.0"}])
def test_a_document_that_is_no_handshake_is_an_error_with_words(document: object):
    with pytest.raises(HandshakeError, match=r"release\.json"):
        read_handshake(document)


def with_epoch(file: PackageFile, epoch: int) -> PackageFile:
    """The same package in a version with an epoch, which an rpm provides too."""
    version = f"{epoch}:{file.version}"
    own = provides(file.name, version)
    relations = tuple(own if one.clauses[0].name == file.name else one for one in file.relations)
    return replace(file, version=version, relations=relations)


def test_an_epoch_lifts_a_server_over_every_bound_and_is_found(files: Files, fleetdesk: Product):
    """An epoch sorts before everything else, so the database's conflict no longer reaches it."""
    for format_ in Format:
        server = pick(files, "fleetdesk-server", "3.9.0-1", format_)
        lifted = with_epoch(server, 1)
        findings = verify(swapped(files, server, lifted), fleetdesk).findings
        installs = of_kind(findings, Kind.WOULD_INSTALL)
        assert any("server 3.9.0 with database 4.1.0" in one.what for one in installs)
        assert [one.files for one in of_kind(findings, Kind.EPOCH)] == [(server.path,)]


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("name", ["fleetdesk-server", "fleetdesk-database"])
def test_an_epoch_on_the_newest_is_found_though_no_solver_shows_it(
    files: Files, fleetdesk: Product, name: str, format_: Format
):
    """What it breaks are the bounds of releases that nobody has built yet."""
    newest = pick(files, name, "4.3.0-1", format_)
    for product in (None, fleetdesk):
        (finding,) = verify(swapped(files, newest, with_epoch(newest, 1)), product).findings
        assert finding.kind is Kind.EPOCH
        assert "has the epoch 1" in finding.what
        assert finding.cure == "version it 4.3.0-1"


def test_epochs_of_packages_that_others_built(files: Files, fleetdesk: Product):
    """A server's is out of every bound's reach; a database's may be, if each release has it."""
    debs = [replace(one, handshake=None) for one in files if one.format is Format.DEB]
    servers = [one for one in debs if one.name == "fleetdesk-server"]
    databases = [one for one in debs if one.name == "fleetdesk-database"]
    lifted = [with_epoch(one, 2) for one in databases]
    assert verify((*servers, *lifted), fleetdesk).proved
    mixed = verify((*servers, *databases[1:], lifted[0]), fleetdesk).findings
    (finding,) = of_kind(mixed, Kind.EPOCH)
    assert finding.files == (lifted[0].path,)
    assert "and other releases of fleetdesk-database have 0" in finding.what
    every = [with_epoch(one, 2) for one in servers]
    found = of_kind(verify((*every, *databases), fleetdesk).findings, Kind.EPOCH)
    assert len(found) == len(servers)


def test_a_ceiling_is_a_bound_too(files: Files):
    """A promise on top binds in the same way, in both forms of both relations."""
    handshake = ServerHandshake(
        version=Version.parse("4.1.0"),
        schemas=Window(11, 13),
        peers=Window(Version.parse("4.0.0")),
    )
    (case, _) = gather(files).cases
    half = replace(case.servers[2], says=handshake)
    low, high = (provides("fleetdesk-schema", "11"), provides("fleetdesk-schema", "13"))
    conflicts = tuple(
        replace(one, field=Field.CONFLICTS, clauses=(replace(one.clauses[0], operator=operator),))
        for one, operator in ((low, Operator.EARLIER), (high, Operator.LATER_OR_EQUAL))
    )
    from toolchain.verify.libsolv import ask_libsolv

    half = replace(half, file=replace(half.file, relations=conflicts))
    changed = replace(case, servers=(half,))
    count, wrong = ask_libsolv(changed, law_rows(changed))
    assert count > 10
    assert not wrong
