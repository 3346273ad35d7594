"""Upgrades inside libsolv: protected pairs stay whole, and what would break them is found."""

from dataclasses import replace

import pytest

from tests.verify_samples import quiet, swapped, verify, with_relations
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.release import Format
from toolchain.verify.finding import Kind
from toolchain.verify.gather import gather
from toolchain.verify.questions import law_rows
from toolchain.verify.transitions import HostState, Order, Verb, edge_targets, host_states, judge
from toolchain.verify.upgrades import Host, known_names, libsolv_transitions, order_words

Files = tuple[PackageFile, ...]


def test_no_command_breaks_a_protected_pair(files: Files):
    for case in gather(files).cases:
        count, findings = libsolv_transitions(case, law_rows(case), quiet)
        assert count > 500
        assert not findings


@pytest.mark.parametrize("format_", Format)
def test_without_protection_a_bold_command_removes_a_half(files: Files, format_: Format):
    bare = [replace(file, protected=False) for file in files if file.format is format_]
    answer = verify(bare, transitions=True)
    removals = [one for one in answer.findings if "removes fleetdesk" in one.what]
    assert removals
    assert all(one.kind is Kind.TRANSITION for one in removals)
    bold = {
        Format.DEB: "and may remove what is not protected",
        Format.RPM: "--allowerasing",
    }[format_]
    assert all(bold in " ".join(one.commands) for one in removals)


def test_an_order_is_told_in_the_words_of_its_format(files: Files):
    """What is asked of libsolv about debs is no command of apt, and none of dnf."""
    debs, rpms = gather(files).cases
    upgrade, server = Order(Verb.UPGRADE), Order(Verb.INSTALL_SERVER, 0, bold=True, best=False)
    assert order_words(debs, upgrade) == "a solver that upgrades"
    assert order_words(debs, server) == (
        "a solver that installs fleetdesk-server=3.9.0-1 and may remove what is not protected "
        "and may pass over what it can't upgrade"
    )
    assert order_words(rpms, upgrade) == "dnf upgrade"
    assert order_words(rpms, Order(Verb.INSTALL_DATABASE, 0, best=False)) == (
        "dnf install fleetdesk-database-3.9.0-1 --nobest"
    )
    assert order_words(rpms, server).endswith("server-3.9.0-1 --allowerasing --nobest")


def test_an_obsoletes_that_takes_the_database_away_is_found(files: Files):
    server = next(
        file
        for file in files
        if file.format is Format.RPM
        and file.name == "fleetdesk-server"
        and file.version == "4.3.0-1"
    )
    taking = Carried(field=Field.OBSOLETES, clauses=(Clause(name="fleetdesk-database"),))
    tampered = with_relations(server, (*server.relations, taking))
    kinds = {
        one.kind for one in verify(swapped(files, server, tampered), transitions=True).findings
    }
    assert {Kind.RELATION, Kind.WOULD_BE_REFUSED} <= kinds


def test_the_ends_that_are_wrong(files: Files):
    (case, _) = gather(files).cases
    rows = law_rows(case)
    last = len(case.servers) - 1
    before = HostState(last, last)
    assert judge(case, rows, before, before) == ""
    assert "removes fleetdesk-server" in judge(case, rows, before, HostState(None, last))
    assert "removes fleetdesk-database" in judge(case, rows, before, HostState(last, None))
    assert "do not fit" in judge(case, rows, before, HostState(last, 0))
    shard = HostState(0, None, (0,))
    assert "the package of a shard" in judge(case, rows, shard, HostState(0, None))
    assert "does not fit the shard" in judge(case, rows, shard, HostState(last, None, (0,)))


def test_every_legal_pair_is_a_state_and_no_other(files: Files):
    (case, _) = gather(files).cases
    rows = law_rows(case)
    states = list(host_states(rows, shards=False))
    fits = {(row.server, at) for row in rows for at, fit in enumerate(row.databases) if fit}
    assert {(state.server, state.database) for state in states} == fits
    for state in states:
        servers, databases = edge_targets(rows, state)
        assert state.server not in servers
        assert state.database not in databases
        assert databases


def test_a_shard_that_is_behind_holds_its_servers_back(files: Files):
    """The newest server does not fit, so an upgrade stops at the last that does."""
    for case in gather(files).cases:
        rows = law_rows(case)
        known = known_names(case.names, case.files)
        first = next(at for at, fits in enumerate(rows[0].shards) if fits)
        fitting = [row.server for row in rows if row.shards[first]]
        host = Host(case, HostState(0, None, (first,)), known)
        after = host.after(Order(Verb.UPGRADE, best=False))
        assert after is not None
        assert after.server in fitting
        newest = Order(Verb.INSTALL_SERVER, len(rows) - 1, bold=True)
        assert len(rows) - 1 not in fitting
        assert host.after(newest) is None
