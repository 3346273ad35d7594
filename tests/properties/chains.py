"""Chains of releases with lives of changes, forms of servers, and hotfixes; and their replay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

from hypothesis import strategies as st

from toolchain.matrix.chain import FormChain, Link, form_chain
from toolchain.matrix.derivation import Derivation
from toolchain.model.change import Form, Phase, Script, Step
from toolchain.model.history import history
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window

HERE = Origin(file="generated")
FIRST_DAY = date(2026, 1, 1)


def step(change: str, phase: Phase, *, readies: bool = True) -> Step:
    return Step(change=change, phase=phase, sql=Script(name="x.sql"), readies=readies, origin=HERE)


@st.composite
def link_lists(draw: st.DrawFn) -> list[Link]:
    """Releases in version order: a main line, some forms declared, and perhaps a hotfix."""
    count = draw(st.integers(2, 6))
    steps: list[list[Step]] = [[] for _ in range(count)]
    for name in range(draw(st.integers(1, 4))):
        change = f"c{name}"
        expanded = draw(st.integers(0, count - 1))
        moved = draw(st.none() | st.integers(expanded, count - 1))
        steps[expanded].append(step(change, Phase.EXPAND))
        if moved is not None:
            steps[moved].append(step(change, Phase.MIGRATE, readies=draw(st.booleans())))
        earliest = max(expanded + 1, moved or 0)
        contracted = draw(st.none() | st.integers(earliest, count)) or count
        if contracted < count:
            steps[contracted].append(step(change, Phase.CONTRACT))
    links: list[Link] = []
    schema = 1
    for at, own in enumerate(steps):
        schema += bool(own) and at > 0
        links.append(link(Version(at + 1, 0, 0), 10 * at, schema, own))
    if draw(st.booleans()):
        links = hotfixed(draw, links)
    return [declared(draw, links, at) for at in range(len(links))]


def link(version: Version, day: int, schema: int, steps: list[Step]) -> Link:
    born = FIRST_DAY + timedelta(days=day)
    return Link(version=version, date=born, schema=schema, steps=tuple(steps), forms={})


def hotfixed(draw: st.DrawFn, links: list[Link]) -> list[Link]:
    """The links with a hotfix of one of them, whose step a later release carries, if there is one."""
    at = draw(st.integers(0, len(links) - 2))
    mended, day = links[at], (links[-1].date - FIRST_DAY).days
    born = draw(st.integers(10 * (at + 1) + 1, day + 1))
    fix = [step("fix", Phase.EXPAND)] if draw(st.booleans()) else []
    hotfix = link(Version(mended.version.major, 0, 1), born, mended.schema, fix)
    later = [place for place, other in enumerate(links) if other.date >= hotfix.date]
    if fix and later:
        # The first release after the hotfix carries its step, and a number for it.
        carrier = links[later[0]]
        links[later[0]] = replace(carrier, steps=(*carrier.steps, *fix))
        if not carrier.steps:
            for place in later:
                links[place] = replace(links[place], schema=links[place].schema + 1)
    return [*links[: at + 1], hotfix, *links[at + 1 :]]


def declared(draw: st.DrawFn, links: list[Link], at: int) -> Link:
    """The link with forms for some of the changes that it knows, such as a spec may declare."""
    own = links[at]
    known = {
        one.change for past in history(links, own) for one in past.steps
    }  # fmt: skip
    forms = (
        draw(st.dictionaries(st.sampled_from(sorted(known)), st.sampled_from(Form)))
        if known
        else {}
    )
    return replace(own, forms=forms)


chains = st.builds(
    form_chain, link_lists(), st.sampled_from(RolloutPolicy), st.integers(0, 3)
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A shard on its way: which release's schema and window it says, and what is really there."""

    ready: int | None
    shut: int | None
    new: frozenset[str]
    gone: frozenset[str]


def moments(chain: FormChain, at: int) -> Iterator[Moment]:
    """Each state of a fresh shard on its way to a link, phase by phase as the runner goes."""
    places = {one.version: place for place, one in enumerate(chain.links)}
    moved = {
        one.change
        for each in chain.links
        for one in each.steps
        if one.phase is Phase.MIGRATE and one.readies
    }
    ready = shut = None
    new: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    for release in history(chain.links, chain.links[at]):
        for one in release.steps:
            if (one.phase is Phase.MIGRATE and one.readies) or (
                one.phase is Phase.EXPAND and one.change not in moved
            ):
                new |= {one.change}
                yield Moment(ready=ready, shut=shut, new=new, gone=gone)
        ready = places[release.version]
        yield Moment(ready=ready, shut=shut, new=new, gone=gone)
        shut = places[release.version]
        yield Moment(ready=ready, shut=shut, new=new, gone=gone)
        for one in release.steps:
            if one.phase is Phase.CONTRACT:
                gone |= {one.change}
                yield Moment(ready=ready, shut=shut, new=new, gone=gone)


def works(forms: Mapping[str, Form], every: tuple[str, ...], moment: Moment) -> bool:
    """Whether a server finds each form that it cannot do without."""
    return all(
        change in moment.new
        if (form := forms.get(change, Form.OLD)) is Form.NEW
        else form is Form.BOTH or change not in moment.gone
        for change in every
    )


def pairs(chain: FormChain) -> Iterator[tuple[ServerHandshake, ShardHandshake]]:
    """Every server of a chain with every state of a shard, under the derived windows.

    A release that fits nothing has no window, and is left out.
    """
    derivation = Derivation(chain)
    servers, shards = [], []
    for at, link in enumerate(chain.links):
        schemas, oldest = derivation.schemas(at).oldest, derivation.servers(at).oldest
        if schemas is not None:
            servers.append(
                ServerHandshake(
                    version=link.version, schemas=Window(schemas), peers=Window(Version(0, 0, 0))
                )
            )
        if oldest is not None:
            shards.append(ShardHandshake(schema=link.schema, servers=Window(oldest)))
    yield from product(servers, shards)
