"""`interlock check` and `interlock plan` mean the same: what passes the one, the other leads through.

At a skew of one or more, a product without problems has a plan

- from every release to the one that a cluster there must be able to go to next (`successions`);
- from every release to every later final release that such steps lead to, the newest included.

Three rules of plans are narrower than what `check` asks of each two releases, and all are right:

- A withdrawn database package is installed by nobody. A release with `package: false` whose schema
  a withdrawn release has brought cannot be come to, and no way leads through it.
- A plan rests at a pre-release only when it is asked for by name. Where what comes next for a hotfix
  is a pre-release, its fleet may have to be planned to that one first.
- A shard passes the contract of every release on its way, where `check` looks at the two ends. What a
  hotfix did keeps its shards from resting before a release that carries it; if a contract before
  that one already refuses the hotfix's servers, there is no way. The same goes for the contract of
  a withdrawn release, at which nothing rests.
"""

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.properties.test_plans import spelled
from tests.unit.spec.chains import R, chain
from tests.unit.spec.memory import Memory
from toolchain.model.history import successions
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain, chain_of
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import state_at
from toolchain.spec import check_product

_HOTFIX_DELAY = 4  # days after the release of the main line that is out already


@st.composite
def products(draw: st.DrawFn) -> dict[str, str]:
    """Files: a main line with pre-releases and withdrawn releases, and perhaps hotfixes."""
    found: dict[str, R] = {}
    line: list[str] = []
    expanded: list[str] = []
    schema, day, count = 1, 0, draw(st.integers(3, 6))
    for at in range(count):
        day += 30
        ended = [name for name in expanded if not draw(st.integers(0, 2))]
        expanded = [name for name in expanded if name not in ended]
        steps = [f"contract:{name}" for name in ended]
        if at == 0 or draw(st.booleans()):
            expanded.append(f"c{at}")
            steps.append(f"expand:c{at}")
            steps += [f"migrate:c{at}"] if draw(st.booleans()) else []
        schema += bool(steps) and at > 0
        forms = {
            name: draw(st.sampled_from(["both", "both", "old", "new"]))
            for name in expanded
            if not draw(st.integers(0, 2))
        }
        inner = 0 < at < count - 1
        final = R(
            schema=schema,
            steps=tuple(steps),
            day=day,
            forms=forms,
            package=bool(steps) or draw(st.booleans()),
            withdrawn="broken" if inner and not draw(st.integers(0, 5)) else None,
        )
        if inner and not draw(st.integers(0, 3)):
            found[f"1.{at}.0-rc1"] = replace(final, package=True, withdrawn=None)
            day += 5
            final = replace(final, steps=(), day=day, package=draw(st.booleans()))
        found[f"1.{at}.0"] = final
        line.append(f"1.{at}.0")
    for at in range(count - 1):
        if not draw(st.integers(0, 3)):
            after = draw(st.sampled_from(line[at + 1 :]))
            _add_hotfix(
                found, at, (found[after].day or 0) + _HOTFIX_DELAY, fixes=draw(st.booleans())
            )
    return chain(
        found,
        rollout=draw(st.sampled_from(["database-first", "any-order"])),
        skew=draw(st.sampled_from([1, 1, 2, 3])),
    )


def _add_hotfix(found: dict[str, R], at: int, day: int, *, fixes: bool) -> None:
    """Add a hotfix of a release; the first release after it carries what it does."""
    base = found[f"1.{at}.0"]
    later = next((name for name, other in found.items() if (other.day or 0) > day), None)
    hotfix = R(schema=base.schema, day=day, forms=base.forms, package=False)
    if fixes and later is not None and found[later].steps:
        step = f"expand:fix{at}"
        found[later] = replace(found[later], steps=(*found[later].steps, step))
        forms = {**base.forms, f"fix{at}": "both"}
        hotfix = replace(hotfix, steps=(step,), forms=forms, package=True)
    found[f"1.{at}.1"] = hotfix


def later_releases(product: Product, every: Chain, start: Version) -> set[Version]:
    """Where one succession after another leads from a release, by final releases."""
    onward: dict[Version, set[Version]] = {}
    for earlier, later in open_successions(product, every):
        past = every.history(every.places[later])
        branch = every.places[earlier] not in past
        if not (branch and later.stage):
            onward.setdefault(earlier, set()).add(later)
    found: set[Version] = set()
    waiting = [start]
    while waiting:
        after = onward.get(waiting.pop(), set()) - found
        found |= after
        waiting += after
    return {version for version in found if version.stage is None}


def open_successions(product: Product, every: Chain) -> Iterator[tuple[Version, Version]]:
    """The successions but for those that the first and the third rule close."""
    for earlier, later in successions(product.releases):
        between = every.history(every.places[later.version])[:-1]
        refusing = [
            place
            for place in between
            if every[place].packaged
            and every[place].version > earlier.version
            and earlier.version not in every[place].shard.servers
        ]
        if has_database(every, later.version) and not refusing:
            yield earlier.version, later.version


def has_database(every: Chain, version: Version) -> bool:
    """Whether a release's schema is that of a database package which is not withdrawn."""
    database = every.database(every.places[version])
    return database is not None and every[database].shard.schema == every.at(version).shard.schema


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(products())
def test_what_passes_the_check_has_a_plan(files: dict[str, str]) -> None:
    checked = check_product(Memory({name: text.encode() for name, text in files.items()}), {})
    product = checked.product
    if product is None or checked.problems:
        return
    every = chain_of(product)
    for facts in every.releases:
        state = state_at(every, every.places[facts.version])
        if facts.withdrawn is not None or state is None:
            continue
        fleet = Fleet(
            (Server(host="web", version=facts.version),), (Shard(name="north", state=state),)
        )
        next_ones = {
            later for earlier, later in open_successions(product, every) if earlier == facts.version
        }
        for target in sorted(next_ones | later_releases(product, every, facts.version)):
            if every.at(target).withdrawn is None:
                answer = plan_rollout(every, fleet, target, product.rollout)
                if not isinstance(answer, Plan):
                    note(spelled(every, fleet, target))
                assert isinstance(answer, Plan)
