"""Windows against their own release, against the releases in reach, and against each other."""

from datetime import date
from itertools import permutations, product, starmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.spec.sample import changed, expect_one, told
from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.model.origin import Origin
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import schema_window, version_window
from toolchain.spec.chain.promises import promises_of
from toolchain.spec.chain.rollout import check_rollouts, has_rollout
from toolchain.spec.chain.windows import check_own, check_reach, meetings
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Place, Problem

R = "4.1.0.yaml"

SAMPLES = {
    "schema ahead": ('schema: ">= 12"', 'schema: ">= 13"', "46 window-excludes-itself", ("schema 12", "'>= 12'")),
    "schema ceiling": (
        'schema: ">= 12"', 'schema: ">= 11, < 12"', "46 window-excludes-itself", ("above 12",),
    ),
    "peers ahead": ('peers: ">= 4.0.0"', 'peers: ">= 4.2.0"', "46 window-excludes-itself", ("server 4.1.0",)),
    "servers ahead": ('servers: ">= 4.0.0, < 6.0.0"', 'servers: ">= 4.2.0"', "47 window-excludes-itself", ()),
    "servers too narrow": (
        'servers: ">= 4.0.0, < 6.0.0"', 'servers: ">= 4.1.0"', "47 window-too-narrow",
        ("leaves out server 4.0.0", "'>= 4.0.0'", "database-first, skew 1"),
    ),
    "peers too narrow": (
        'peers: ">= 4.0.0"', 'peers: ">= 4.1.0"', "46 window-too-narrow", ("server 4.0.0",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAMPLES)
def test_samples(tmp_path: Path, case: str) -> None:
    old, new, start, words = SAMPLES[case]
    expect_one(tmp_path, changed(R, old, new), f"{R}:{start}", *words)


def test_a_ceiling_of_an_earlier_release(tmp_path: Path) -> None:
    files = changed("4.0.0.yaml", '">= 11"', '">= 11, < 12"')
    start = "4.0.0.yaml:16 window-too-narrow"
    expect_one(tmp_path, files, start, "leaves out schema 12", "raise its ceiling above 12")


def test_under_any_order_a_server_must_know_the_schema_before(tmp_path: Path) -> None:
    files = changed("product.yaml", "database-first", "any-order")
    expect_one(tmp_path, files, f"{R}:46 window-too-narrow", "leaves out schema 11", "'>= 11'")
    files[R] = files[R].replace('schema: ">= 12"', 'schema: ">= 11"')
    assert told(tmp_path, files) == []


def test_without_skew_one_order_of_steps_is_enough(tmp_path: Path) -> None:
    files = changed("product.yaml", "skew: 1", "skew: 0")
    files[R] = files[R].replace('servers: ">= 4.0.0, < 6.0.0"', 'servers: ">= 4.1.0"')
    assert told(tmp_path, files) == []  # expand everywhere, then the servers, then contract
    first = files["4.0.0.yaml"]
    files["4.0.0.yaml"] = first.replace('servers: ">= 4.0.0"', 'servers: ">= 4.0.0, < 4.1.0"')
    expect_one(
        tmp_path, files, f"{R}:47 no-rollout",
        "from 4.0.0 to 4.1.0: shards first, the window '>= 4.1.0' leaves out server 4.0.0; "
        "servers first, the window '>= 4.0.0, < 4.1.0' leaves out server 4.1.0",
    )  # fmt: skip
    files["4.0.0.yaml"] = first
    files[R] = files[R].replace('peers: ">= 4.0.0"', 'peers: ">= 4.1.0"')
    expect_one(tmp_path, files, f"{R}:46 no-rollout", "servers cannot be moved one by one")


def facts(version: str, schema: int, schemas: str, peers: str, servers: str) -> Facts:
    """A release's facts, with a place of its own for each."""
    places = [Place(Origin(file=version, line=line)) for line in range(1, 6)]
    return Facts(
        file=f"{version}.yaml",
        version=Version.parse(version),
        version_place=places[0],
        date=date(2026, 1, 1),
        date_place=places[0],
        withdrawn=None,
        schema=schema,
        schema_place=places[1],
        packaged=True,
        steps=(),
        forms={},
        schemas=schema_window(schemas),
        schemas_declared=True,
        schemas_place=places[2],
        peers=version_window(peers),
        peers_place=places[3],
        servers=version_window(servers),
        servers_declared=True,
        servers_place=places[4],
    )


def reach(chain: list[Facts], rollout: RolloutPolicy, skew: int) -> list[Problem]:
    """The problems of windows that do not reach back far enough."""
    return list(check_reach(promises_of(chain, rollout, skew)))


def lines(problems: list[Problem]) -> list[str]:
    return [f"{problem.origin.file}:{problem.origin.line}" for problem in problems]


CHAIN = [
    facts("1.0.0", 1, ">= 1", ">= 1.0.0", ">= 1.0.0"),
    facts("2.0.0", 2, ">= 2", ">= 1.0.0", ">= 1.0.0"),
    facts("3.0.0-rc1", 3, ">= 3", ">= 2.0.0", ">= 2.0.0"),
    facts("3.0.0", 3, ">= 3", ">= 3.0.0-rc1", ">= 2.0.0"),
    facts("4.0.0", 4, ">= 4", ">= 3.0.0-rc1", ">= 3.0.0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("skew", "expected"),
    [
        (0, []),
        (1, ["3.0.0:4"]),
        (2, ["3.0.0-rc1:5", "3.0.0-rc1:4", "3.0.0:5", "3.0.0:4", "4.0.0:5", "4.0.0:4"]),
        (9, ["3.0.0-rc1:5", "3.0.0-rc1:4", "3.0.0:5", "3.0.0:4", "4.0.0:5", "4.0.0:4"]),
    ],
)
def test_reach_counts_final_releases(skew: int, expected: list[str]) -> None:
    assert lines(reach(CHAIN, RolloutPolicy.DATABASE_FIRST, skew)) == expected


def test_the_cure_serves_the_whole_reach() -> None:
    found = reach(CHAIN, RolloutPolicy.DATABASE_FIRST, 9)
    assert found[-2].cure.startswith("begin the window with '>= 1.0.0'")


# Small worlds: two releases with every kind of window between them.
schemas = st.sampled_from([">= 1", ">= 2", ">= 1, < 2", ">= 1, < 3", ">= 2, < 3", ">= 0, < 1"])
releases = st.sampled_from(
    [">= 1.0.0", ">= 2.0.0", ">= 1.0.0, < 2.0.0", ">= 1.0.0, < 3.0.0", ">= 2.0.0, < 3.0.0"]
)
earlier_releases = st.builds(facts, st.just("1.0.0"), st.just(1), schemas, releases, releases)
later_releases = st.builds(
    facts, st.just("2.0.0"), st.sampled_from([1, 2]), schemas, releases, releases
)


def fit(earlier: Facts, later: Facts) -> bool:
    return not list(check_own([earlier, later]))


@given(earlier_releases, later_releases)
def test_a_rollout_exists_where_one_side_can_go_first(earlier: Facts, later: Facts) -> None:
    """The search over single steps against the answer that follows from the law by hand."""
    if fit(earlier, later):
        expanded = ShardHandshake(schema=later.schema, servers=earlier.servers)
        shards_first = compatible(earlier.server, later.shard)
        servers_first = compatible(later.server, earlier.shard)
        contract_last = compatible(earlier.server, expanded) and compatible(later.server, expanded)
        peers = peers_compatible(earlier.server, later.server)
        expected = peers and (shards_first or servers_first or contract_last)
        assert has_rollout(earlier, later) == expected


@given(earlier_releases, later_releases, st.sampled_from(RolloutPolicy), st.integers(0, 1))
def test_no_problem_means_that_the_policy_can_be_followed(
    earlier: Facts, later: Facts, rollout: RolloutPolicy, skew: int
) -> None:
    chain = [earlier, later]
    told_of = [
        *check_own(chain),
        *reach(chain, rollout, skew),
        *check_rollouts(promises_of(chain, rollout, skew)),
    ]
    assert all(problem.cure for problem in told_of)
    if not told_of:
        assert has_rollout(earlier, later)
    if not told_of and skew:
        assert not meetings(earlier, later, rollout)


def walk(earlier: Facts, later: Facts, order: tuple[str, ...]) -> bool:
    """Whether two servers and two shards can be moved in this order, told state by state."""
    servers, shards = [earlier.server] * 2, [earlier.shard] * 2
    expanded = ShardHandshake(schema=later.schema, servers=earlier.servers)
    for step in order:
        match step:
            case "server":
                servers = [later.server, servers[0]]
            case "expand":
                shards = [expanded, shards[0]]
            case "contract":
                shards = [shards[1], later.shard] if shards[1] is expanded else [later.shard] * 2
        if not (peers_compatible(*servers) and all(starmap(compatible, product(servers, shards)))):
            return False
    return True


@given(earlier_releases, later_releases)
def test_the_search_agrees_with_walking_every_order(earlier: Facts, later: Facts) -> None:
    if fit(earlier, later):
        orders = {
            order
            for order in permutations(
                ["server", "server", "expand", "expand", "contract", "contract"]
            )
            if order.index("contract") > len(order) - 1 - order[::-1].index("expand")
        }
        legal = any(walk(earlier, later, order) for order in orders)
        assert has_rollout(earlier, later) == legal
