"""Where servers and shards may stop: withdrawn releases, pre-releases, and those without a database."""

import pytest

from tests.unit.plan.rollout.samples import V, excluded, fleet, planned, release, told
from toolchain.plan.rollout.world.facts import Chain


def test_withdrawn_releases_and_pre_releases_are_no_stops():
    def chain(**options: str) -> Chain:
        return Chain.of(
            [
                release("1.0.0", 1, 1, "a.expand"),
                release("1.1.0", 2, 1, peers=">= 1.0.0", packaged=False, **options),
                release("1.2.0-rc1", 3, 1, peers=">= 1.0.0", packaged=False),
                release("1.3.0", 4, 1, peers=">= 1.1.0", packaged=False),
            ]
        )

    standing = fleet(chain(), "1.0.0", "1.0.0")
    assert told(planned(chain(), standing, "1.3.0")) == ["servers 1.1.0", "servers 1.3.0"]
    exclusion = excluded(chain(withdrawn="loses mail"), standing, "1.3.0")
    assert exclusion.refusals[0][1].release == V("1.3.0")
    # A fleet may stand at a withdrawn release all the same.
    withdrawn = chain(withdrawn="loses mail")
    assert told(planned(withdrawn, fleet(withdrawn, "1.1.0", "1.0.0"), "1.3.0")) == [
        "servers 1.3.0"
    ]
    assert told(planned(withdrawn, standing, "1.2.0-rc1")) == ["servers 1.2.0-rc1"]


def own(*, packaged: bool = False) -> Chain:
    """The final 1.3.0 has the database of its candidate; a hotfix waits for what it carries."""
    return Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release("1.1.0", 2, 2, "split.expand", peers=">= 1.0.0"),
            release("1.1.1", 5, 2, "fix.expand", schemas=">= 2", peers=">= 1.0.0"),
            release("1.2.0", 3, 3, "split.migrate", schemas=">= 2", peers=">= 1.1.0"),
            release(
                "1.3.0-rc1", 6, 4, "split.contract", "fix.expand",
                schemas=">= 2", peers=">= 1.1.0", servers=">= 1.1.0",
            ),
            release(
                "1.3.0", 7, 4, schemas=">= 4", peers=">= 1.1.0", servers=">= 1.1.0",
                packaged=packaged,
            ),
            release("1.4.0", 8, 5, "x.expand", peers=">= 1.3.0", servers=">= 1.3.0", withdrawn="y"),
            release("1.5.0", 9, 5, peers=">= 1.3.0", servers=">= 1.3.0", schemas=">= 4"),
        ]
    )  # fmt: skip


@pytest.mark.parametrize("packaged", [False, True])
def test_shards_may_rest_at_the_pre_release_that_a_final_release_has_its_database_from(
    packaged: bool,
):
    chain = own(packaged=packaged)
    standing = fleet(chain, "1.1.1 1.1.1", "1.1.1 1.1.1")
    # Shards that go on to a package of 1.3.0 pass the contract of its candidate.
    at = "1.3.0" if packaged else "1.3.0-rc1 prepare"
    assert told(planned(chain, standing, "1.5.0")) == [
        f"shards {at}",
        "servers 1.3.0",
        "servers 1.5.0",
        "shards 1.5.0",
    ]


def test_a_release_without_a_database_package_leaves_the_shards_alone():
    chain = Chain.of([release("1.0.0", 1, 1, "a.expand"), release("1.0.1", 2, 1, packaged=False)])
    plan = planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.0.1")
    assert told(plan) == ["servers 1.0.1"]
    assert plan.database == V("1.0.0")


def test_servers_may_need_the_database_of_a_hotfix_that_the_target_was_not_built_upon():
    """The target has no database but that of 1.0.0, which the shards have; 1.1.1 leads further."""
    chain = Chain.of(
        [
            release("1.0.0", 1, 2, "a.expand"),
            release("1.1.0", 2, 3, "b.expand", withdrawn="broken"),
            release("1.1.1", 9, 4, "h.expand", schemas=">= 2"),
            release("1.2.1", 5, 4, packaged=False, schemas=">= 4"),
        ]
    )
    assert told(planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.2.1")) == [
        "shards 1.1.1",
        "servers 1.2.1",
    ]
