"""Withdrawing and pruning: what leaves, what must stay, and what each says."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.rollouts import chains
from tests.unit.publish.conftest import Plain, Shop
from tests.unit.publish.reading import debs, rpms
from toolchain.build.product import open_product
from toolchain.errors import RefusedError, UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.repository.stops import Ways, needed, stranded, targets
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts
from toolchain.publish.deeds.planned import read_plan
from toolchain.publish.deeds.prune import Prune
from toolchain.publish.deeds.refresh import Refresh
from toolchain.publish.deeds.rule import Rule
from toolchain.publish.deeds.withdraw import Withdraw

Files = tuple[PackageFile, ...]
V = Version.parse


def line(*windows: tuple[str, int, int, str]) -> Chain:
    """Releases by version, schema, the oldest schema of the server, and the oldest server."""
    return Chain.of(
        ReleaseFacts(
            version=V(version),
            date=date.min,
            server=ServerHandshake(
                version=V(version), schemas=Window(oldest), peers=Window(V(server))
            ),
            shard=ShardHandshake(schema=schema, servers=Window(V(server))),
        )
        for version, schema, oldest, server in windows
    )


# 1.0 goes to 2.0 and no further; 2.0 and 2.1 go to 3.0.
STOP = line(
    ("1.0.0", 1, 1, "1.0.0"),
    ("2.0.0", 2, 1, "1.0.0"),
    ("2.1.0", 2, 1, "1.0.0"),
    ("3.0.0", 3, 2, "2.0.0"),
)


def test_the_stop_of_a_release_that_stays_stays() -> None:
    found = needed(STOP, [V("1.0.0"), V("3.0.0")])
    assert len(found) == 1
    (need,) = found.values()
    assert need.release in (V("2.0.0"), V("2.1.0"))
    assert str(need) == "a fleet at 1.0.0 stops there on its way to 3.0.0"
    assert not needed(STOP, [V("2.0.0"), V("3.0.0")])
    # A release that goes is somewhere still, and its fleets come by the same stop.
    assert needed(STOP, [V("3.0.0")], installed=[V("1.0.0")]) == found


def test_a_stop_at_a_prerelease_needs_the_final_release_that_it_is_the_database_of() -> None:
    """1.0 comes to 3.0 by the database of 2.0-rc1, which is that of 2.0."""
    chain = line(
        ("1.0.0", 1, 1, "1.0.0"),
        ("2.0.0-rc1", 2, 1, "1.0.0"),
        ("2.0.0", 2, 1, "1.0.0"),
        ("3.0.0", 3, 2, "3.0.0"),
    )
    peers = Window(V("1.0.0"))
    chain = Chain.of(
        replace(one, packaged=one.version != V("2.0.0"), server=replace(one.server, peers=peers))
        for one in chain.releases
    )
    assert Ways(chain).releases(V("1.0.0"), V("3.0.0"), RolloutPolicy.ANY_ORDER) == {
        V("2.0.0-rc1"),
        V("3.0.0"),
    }
    found = needed(chain, [V("3.0.0")], installed=[V("1.0.0")])
    assert set(found) == {V("2.0.0-rc1"), V("2.0.0")}


def without(chain: Chain, gone: frozenset[Version]) -> Chain:
    return Chain.of(
        replace(one, withdrawn="gone") if one.version in gone else one for one in chain.releases
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whoever_stays_comes_to_the_newest_as_before(data: st.DataObject) -> None:
    """Pruning by any rule: no fleet, at what remains or goes, loses a way or a wave of it."""
    chain = data.draw(chains())
    offered = [facts.version for facts in chain.releases if facts.withdrawn is None]
    kept = set(data.draw(st.sets(st.sampled_from(offered)))) | set(targets(chain))
    installed = set(data.draw(st.sets(st.sampled_from(list(chain.places)))))
    stays = kept | set(needed(chain, kept, installed=installed))
    after = without(chain, frozenset(offered) - stays)
    assert targets(after) == targets(chain)
    for start in stays | installed:
        for target in targets(chain):
            for policy in RolloutPolicy:
                if start < target:
                    there = Ways(after).releases(start, target, policy)
                    assert there == Ways(chain).releases(start, target, policy)
    assert not stranded(chain, after, stays | installed)


@pytest.fixture(scope="module")
def stocked(
    tmp_path_factory: pytest.TempPathFactory, plain: Plain, releases: tuple[Files, ...]
) -> Shop:
    """A repository of all releases, for dry runs and copies."""
    shop = Shop(repository=tmp_path_factory.mktemp("stocked") / "repository", signer=plain)
    for release in releases:
        shop.add(*release)
    return shop


def copy(shop: Shop, repository: Path) -> Shop:
    shutil.copytree(shop.repository, repository, symlinks=True)
    return replace(shop, repository=repository)


def test_a_release_is_withdrawn_at_once_and_its_file_stays(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0])
    shop.add(*releases[1])
    outcome = shop.do(Withdraw(release=V("1.1.0"), channels=["stable"], reason="loses data"))
    assert len(outcome.removed["stable"]) == 4
    assert "demo-server_1.1.0-1_all.deb" not in debs(shop.repository)
    assert "demo-server-1.1.0-1.noarch.rpm" not in rpms(shop.repository)
    assert (shop.repository / "deb/pool/main/demo/demo-server_1.1.0-1_all.deb").exists()
    with pytest.raises(RefusedError, match=r"withdrawn from stable: loses data"):
        shop.add(*releases[1])
    changed = tuple(replace(file, sha256="f" * 64) for file in releases[1])
    with pytest.raises(RefusedError, match="with the digest"):
        shop.add(*changed, force=True)
    shop.add(*releases[1], force=True)
    assert "demo-server_1.1.0-1_all.deb" in debs(shop.repository)


def test_a_stop_that_others_need_is_not_withdrawn(shop: Shop, releases: tuple[Files, ...]) -> None:
    """Each release of this product goes to the next one and no further."""
    for release in releases[:3]:
        shop.add(*release)
    with pytest.raises(RefusedError) as raised:
        shop.do(Withdraw(release=V("1.1.0"), channels=["stable"], reason="slow"))
    assert "no fleet at 1.0.0 comes to 1.2.0" in str(raised.value)
    assert "demo-server_1.1.0-1_all.deb" in debs(shop.repository)
    # The newest can always go, also where it leaves others behind; and the oldest.
    shop.do(Withdraw(release=V("1.2.0"), channels=["stable"], reason="broken"))
    shop.do(Withdraw(release=V("1.0.0"), channels=["stable"], reason="old"))
    assert {name for name in debs(shop.repository) if "-repository" not in name} == {
        "demo-server_1.1.0-1_all.deb",
        "demo-database_1.1.0-1_all.deb",
    }


def test_force_withdraws_a_stop(shop: Shop, releases: tuple[Files, ...]) -> None:
    for release in releases[:3]:
        shop.add(*release)
    shop.do(Withdraw(release=V("1.1.0"), channels=["stable"], reason="loses data", force=True))
    assert "demo-server_1.1.0-1_all.deb" not in debs(shop.repository)


def test_what_is_not_offered_is_not_withdrawn(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    with pytest.raises(UsageError, match=r"does not offer 9\.0\.0; it offers 1\.0\.0"):
        shop.do(Withdraw(release=V("9.0.0"), channels=["stable"], reason="x"))


def test_pruning_keeps_the_newest_and_removes_files_when_no_index_is_believed(
    stocked: Shop, releases: tuple[Files, ...], tmp_path: Path
) -> None:
    shop = copy(stocked, tmp_path / "repository")
    pruned = shop.do(Prune(rule=Rule(newest=2, supported=V("1.2.0"))))
    pruning = pruned.prunings["stable"]
    assert pruning.goes == (V("1.0.0"), V("1.1.0"))
    # Each release here goes to the next one only, so from 1.0.0 there is no way any more.
    assert pruning.left_behind == (V("1.0.0"),)
    pool = shop.repository / "deb/pool/main/demo"
    assert "demo-server_1.0.0-1_all.deb" not in debs(shop.repository)
    assert (pool / "demo-server_1.0.0-1_all.deb").exists()
    shop.now += 13 * 86400
    shop.do(Refresh())
    assert (pool / "demo-server_1.0.0-1_all.deb").exists()
    shop.now += 2 * 86400
    shop.do(Refresh())
    left = sorted(path.name for path in pool.glob("demo-server_1.0.0*"))
    assert left == []
    assert not list((shop.repository / "rpm/packages").glob("*-1.0.0-*"))
    with pytest.raises(RefusedError, match="was pruned and does not come back"):
        shop.add(*releases[0])
    assert len(debs(shop.repository)) == 5


@pytest.mark.parametrize(
    ("rule", "goes"),
    [
        (Rule(newest=9), 0),
        # Each release goes to the next one only, and customers may be anywhere.
        (Rule(newest=1), 1),
        (Rule(newest=1, supported=V("1.1.0")), 2),
        (Rule(newest=1, supported=V("9.0.0")), 3),
        (Rule(since=V("1.1.0"), supported=V("1.3.0")), 1),
        (Rule(days=1), 0),
        (Rule(newest=1, supported=V("9.0.0"), plans=((V("1.2.0"), "plan.json"),)), 2),
        # What a plan goes to needs the stops after it.
        (Rule(newest=1, supported=V("9.0.0"), plans=((V("1.0.0"), "plan.json"),)), 0),
    ],
)
def test_rules(stocked: Shop, rule: Rule, goes: int) -> None:
    outcome = stocked.do(Prune(rule=rule, channels=["stable"]), signer=None)
    pruning = outcome.prunings["stable"]
    assert len(pruning.goes) == goes
    assert len(pruning.stays) == 4 - goes
    assert len(debs(stocked.repository)) == 9


def test_stops_stay_for_customers_at_a_release_that_was_pruned(
    stocked: Shop, tmp_path: Path
) -> None:
    shop = copy(stocked, tmp_path / "repository")
    for _ in range(2):
        pruning = shop.do(Prune(rule=Rule(newest=1))).prunings["stable"]
        assert pruning.stays[0] == (
            V("1.1.0"),
            "a fleet at 1.0.0 stops there on its way to 1.3.0",
        )
        assert pruning.left_behind == ()
    # Nor is such a stop withdrawn, once nothing is offered that needs it.
    with pytest.raises(RefusedError, match=r"no fleet at 1\.0\.0 comes to 1\.3\.0"):
        shop.do(Withdraw(release=V("1.1.0"), channels=["stable"], reason="slow"))
    pruning = shop.do(Prune(rule=Rule(newest=1, supported=V("1.2.0")))).prunings["stable"]
    assert pruning.goes == (V("1.1.0"), V("1.2.0"))
    assert pruning.left_behind == (V("1.0.0"), V("1.1.0"))


def test_customers_at_a_withdrawn_release_are_not_waited_for(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    for release in releases[:3]:
        shop.add(*release)
    shop.do(Withdraw(release=V("1.0.0"), channels=["stable"], reason="broken"))
    pruning = shop.do(Prune(rule=Rule(newest=1))).prunings["stable"]
    assert pruning.goes == (V("1.1.0"),)


def test_specs_need_not_go_back_to_the_first_release(stocked: Shop, packages: Path) -> None:
    specs = packages.parent / "specs"
    product = open_product(specs).product
    product = replace(product, releases=product.releases[1:])
    pruning = stocked.do(Prune(rule=Rule(newest=1), product=product), signer=None).prunings[
        "stable"
    ]
    assert pruning.goes == (V("1.0.0"),)


def test_a_shared_package_stays_while_a_channel_offers_it(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    for release in releases[:3]:
        shop.add(*release)
        shop.add(*release, channel="candidate")
    outcome = shop.do(Prune(rule=Rule(newest=1), channels=["candidate"]))
    assert outcome.prunings["candidate"].goes
    assert outcome.retired == ()
    shop.now += 30 * 86400
    shop.do(Refresh())
    assert "demo-server_1.0.0-1_all.deb" in debs(shop.repository)


def test_a_plan_file_names_releases(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    document = {
        "result": "plan",
        "target": "3.0.0",
        "database": "2.1.0",
        "waves": [{"release": "2.0.0"}, {"release": "3.0.0"}],
    }
    path.write_text(json.dumps(document))
    assert [version for version, _ in read_plan(path)] == [V("3.0.0"), V("2.0.0"), V("2.1.0")]
    for text in ("{", "[]", '{"result": "no way"}'):
        path.write_text(text)
        with pytest.raises(UsageError, match="no rollout plan"):
            read_plan(path)


def test_an_empty_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="--keep"):
        Rule()
