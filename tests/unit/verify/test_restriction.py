"""A verification of new packages: what it asks, and that it finds what is wrong about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from tests.verify_samples import NAMES, quiet, release, with_relations
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.relation import Operator
from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.verify.finding import Kind
from toolchain.verify.gather import gather
from toolchain.verify.halves import Case, Report
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.questions import Question, Row, law_rows
from toolchain.verify.restriction import New
from toolchain.verify.run import Answer, Verifier
from toolchain.verify.upgrades import libsolv_transitions
from toolchain.verify.witness import Tried, Witness

Files = tuple[PackageFile, ...]
LONG = 30


def history(count: int, format_: Format = Format.RPM) -> list[Files]:
    """Releases that each raise the schema and reach back by two."""
    made: list[Files] = []
    for at in range(count):
        oldest = Version(1, max(0, at - 2), 0)
        server = ServerHandshake(
            version=Version(1, at, 0), schemas=Window(max(1, at - 1)), peers=Window(oldest)
        )
        shard = ShardHandshake(schema=at + 1, servers=Window(oldest))
        made.append(release(format_, server, shard))
    return made


def judged(old: Sequence[Files], new: Files, *witnesses: Witness) -> Answer:
    files = (*(file for pair in old for file in pair), *new)
    only = frozenset(file.sha256 for file in new)
    return Verifier(witnesses=witnesses, report=quiet, only=only).verify(files)


def asked(answer: Answer) -> int:
    return sum(one.questions + one.commands for one in answer.asked)


@pytest.mark.parametrize("format_", Format)
def test_a_release_that_fits_is_proved(format_: Format):
    *old, new = history(LONG, format_)
    answer = judged(old, new)
    assert answer.proved
    assert answer.pairs == 2 * LONG - 1


def test_what_is_asked_grows_with_the_history_and_not_with_its_square():
    *old, new = history(LONG)
    *older, newer = history(2 * LONG)
    assert asked(judged(older, newer)) < 2.5 * asked(judged(old, new))


@pytest.mark.parametrize("format_", Format)
def test_the_commands_that_are_tried_do_not_grow_with_the_history(format_: Format):
    *old, new = history(LONG, format_)
    *older, newer = history(3 * LONG, format_)
    few, many = (
        sum(one.commands for one in judged(*all_).asked) for all_ in ((old, new), (older, newer))
    )
    assert 0 < many <= few


@pytest.mark.parametrize("at", [0, LONG // 2, LONG - 1])
def test_a_host_that_differs_in_protection_is_of_another_kind(at: int):
    *old, new = history(LONG)
    case = gather(tuple(file for pair in (*old, new) for file in pair)).cases[0]
    bare = replace(case.servers[at], file=replace(case.servers[at].file, protected=False))
    loose = replace(case, servers=(*case.servers[:at], bare, *case.servers[at + 1 :]))
    rows = law_rows(case)

    def tried(one: Case) -> int:
        return libsolv_transitions(one, rows, quiet, new=changed, lawful=True)[0]

    changed = New.newest(case, 1)
    assert tried(loose) > tried(case)


def test_hosts_that_are_alike_are_all_tried_once_one_of_them_ends_badly():
    """A package that takes servers away, on hosts where they may be removed."""
    *old, (server, database) = history(LONG)
    obsolete = Clause(name=NAMES.server_package, operator=Operator.EARLIER, version="9")
    away = Carried(field=Field.OBSOLETES, clauses=(obsolete,))
    loose = [(replace(pair[0], protected=False), pair[1]) for pair in old]
    taking = with_relations(database, (*database.relations, away))
    files = (*(file for pair in loose for file in pair), server, taking)
    case = gather(files).cases[0]
    rows, new = law_rows(case), New.newest(case, 1)
    whole = libsolv_transitions(case, rows, quiet, new=new)
    assert whole[1]
    assert libsolv_transitions(case, rows, quiet, new=new, lawful=True) == whole


def test_several_products_releases_at_once_are_asked_about_among_each_other():
    *old, first, second = history(6)
    bare = with_relations(second[1], second[1].of(Field.PROVIDES))
    answer = judged(old, (*first, second[0], bare))
    assert any(set(one.files) == {old[0][0].path, bare.path} for one in answer.findings)


@pytest.mark.parametrize("count", [5, LONG])
def test_a_lost_conflict_lets_old_servers_in(count: int):
    *old, (server, database) = history(count)
    bare = with_relations(database, database.of(Field.PROVIDES))
    found = judged(old, (server, bare)).findings
    wrong = [one for one in found if one.kind is Kind.WOULD_INSTALL]
    assert {one.files for one in wrong} == {(pair[0].path, bare.path) for pair in old[:-2]}


@pytest.mark.parametrize("count", [8, LONG])
def test_a_new_half_that_may_be_removed_is_found(count: int):
    *old, (server, database) = history(count)
    obsolete = Clause(name=NAMES.server_package, operator=Operator.EARLIER, version="1.1.0")
    away = Carried(field=Field.OBSOLETES, clauses=(obsolete,))
    loose = [(replace(pair[0], protected=False), pair[1]) for pair in old]
    taking = with_relations(database, (*database.relations, away))
    found = [one for one in judged(loose, (server, taking)).findings if one.commands]
    assert found
    assert all("removes acme-server" in one.what for one in found)


@pytest.mark.parametrize("count", [5, LONG])
def test_an_old_server_that_refuses_the_new_schema_is_found(count: int):
    """It was published with a ceiling that no shard reached until now."""
    *old, new = history(count)
    server, database = old[-1]
    clause = Clause(name=NAMES.schema_package, operator=Operator.LATER, version=str(count - 1))
    ceiling = Carried(field=Field.CONFLICTS, clauses=(clause,))
    old[-1] = (with_relations(server, (*server.relations, ceiling)), database)
    found = judged(old, new).findings
    assert {one.kind for one in found} == {Kind.WOULD_BE_REFUSED}
    assert {one.files for one in found} == {(server.path,), (server.path, new[1].path)}


def test_what_is_wrong_among_old_packages_is_not_said_again():
    *old, new = history(6)
    server, database = old[0]
    old[0] = (with_relations(server, ()), replace(database, version=f"1:{database.version}"))
    kinds = {one.kind for one in judged(old, new).findings}
    assert kinds == {Kind.WOULD_INSTALL, Kind.TRANSITION}  # the old server beside the new database


def test_the_first_packages_are_verified_wholly():
    releases = history(4)
    files = tuple(file for pair in releases for file in pair)
    bare = with_relations(files[-1], files[-1].of(Field.PROVIDES))
    answer = judged((), (*files[:-1], bare))
    assert answer.pairs == 16
    whole = Verifier(witnesses=(), report=quiet).verify((*files[:-1], bare))
    assert answer.findings == whole.findings


@dataclass(slots=True)
class Onlooker:
    """A witness that agrees with everything, and keeps what it saw."""

    seen: list[Case] = field(default_factory=list)
    name: str = "onlooker"
    label: str = "onlooker 1"
    format: Format = Format.RPM
    many: bool = True

    def ask(
        self, case: Case, _questions: Sequence[Question], _report: Report
    ) -> tuple[Disagreement, ...]:
        self.seen.append(case)
        return ()

    def transitions(self, _case: Case, _rows: tuple[Row, ...], _report: Report) -> Tried:
        return Tried()


@pytest.mark.parametrize("count", [LONG, 2 * LONG])
def test_a_witness_sees_the_new_release_and_its_neighbours(count: int):
    *old, new = history(count)
    onlooker = Onlooker()
    judged(old, new, onlooker)
    (case,) = onlooker.seen
    assert {file.path for file in new} <= {file.path for file in case.files}
    assert {half.release.minor for half in case.servers} == {0, *range(count - 5, count)}


def test_of_a_long_history_at_once_a_witness_sees_the_newest():
    onlooker = Onlooker()
    judged((), tuple(file for pair in history(LONG) for file in pair), onlooker)
    (case,) = onlooker.seen
    assert len(case.servers) < LONG
    assert {half.release.minor for half in case.servers} >= set(range(LONG - 20, LONG))
