"""What a shard holds after each release, and which forms each server uses: the facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from toolchain.model.change import Form, Phase, Step
from toolchain.model.history import parents, reach
from toolchain.model.release import Product, RolloutPolicy
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A release without its promises; `forms` are those that its spec declares."""

    version: Version
    date: date
    schema: int
    steps: tuple[Step, ...]
    forms: Mapping[str, Form]
    withdrawn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The changes that a shard holds once all phases up to a release have run.

    `ready` ones have their new form, `contracted` ones have lost the old.
    """

    expanded: frozenset[str] = frozenset()
    ready: frozenset[str] = frozenset()
    contracted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChain:
    """The links in version order, and for each what its shard holds and what its server uses.

    `forms` holds every change that the server's release knows; of any other it uses the old form.
    """

    links: tuple[Link, ...]
    held: tuple[Held, ...]
    forms: tuple[Mapping[str, Form], ...]

    @property
    def changes(self) -> tuple[str, ...]:
        """Every change of the product, sorted."""
        return tuple(sorted({step.change for link in self.links for step in link.steps}))

    def form(self, at: int, change: str) -> Form:
        """What the server of a link uses of a change."""
        return self.forms[at].get(change, Form.OLD)


def form_chain(links: Sequence[Link], rollout: RolloutPolicy, skew: int) -> FormChain:
    """The facts of a product's links, which stand in version order."""
    held = _held(links)
    forms = tuple(
        _forms(at, links, held, rollout, skew if rollout is RolloutPolicy.ANY_ORDER else 0)
        for at in range(len(links))
    )
    return FormChain(links=tuple(links), held=held, forms=forms)


def product_chain(product: Product, rollout: RolloutPolicy | None = None) -> FormChain:
    """The facts of a product, under its own rollout policy or another."""
    links = [
        Link(
            version=release.version,
            date=release.date,
            schema=release.database.schema,
            steps=release.database.steps,
            forms=release.server.forms,
            withdrawn=release.withdrawn,
        )
        for release in product.releases
    ]
    return form_chain(links, rollout or product.rollout, product.skew)


def _held(links: Sequence[Link]) -> tuple[Held, ...]:
    moved = {step.change for link in links for step in link.steps if _makes_ready(step)}
    found: list[Held] = []
    for link, parent in zip(links, parents(links), strict=True):
        before = Held() if parent is None else found[parent]
        found.append(_after(before, link.steps, moved) if link.steps else before)
    return tuple(found)


def _after(before: Held, steps: Sequence[Step], moved: set[str]) -> Held:
    """A change that waits for its data is ready when they are moved, any other at once."""

    def of(phase: Phase) -> set[str]:
        return {step.change for step in steps if step.phase is phase}

    migrated = {step.change for step in steps if _makes_ready(step)}

    return Held(
        expanded=before.expanded | of(Phase.EXPAND),
        ready=before.ready | migrated | (of(Phase.EXPAND) - moved),
        contracted=before.contracted | of(Phase.CONTRACT),
    )


def one_form(links: Sequence[Link]) -> frozenset[str]:
    """The changes whose forms no server can tell apart, such as an index."""
    return frozenset(step.change for link in links for step in link.steps if not step.two_forms)


def _makes_ready(step: Step) -> bool:
    return step.phase is Phase.MIGRATE and step.readies


def _forms(
    at: int, links: Sequence[Link], held: Sequence[Held], rollout: RolloutPolicy, skew: int
) -> Mapping[str, Form]:
    """The declared forms, and for other changes what the rollout policy says.

    Under `database-first` a server uses the new form alone as soon as its own release makes it
    ready. Under `any-order` it may meet a shard of any release in its reach, so it uses both until
    all of those have the new form. A change whose forms nobody can tell apart, such as an index,
    asks nothing of anybody.
    """
    own, declared = held[at], links[at].forms
    certain = own.ready
    if rollout is RolloutPolicy.ANY_ORDER:
        met = {link.version for link in reach(links, links[at], skew)}
        for link, past in zip(links, held, strict=True):
            if link.version in met and not certain <= past.ready:
                certain &= past.ready
    alike = one_form(links)

    def default(change: str) -> Form:
        if change in alike:
            return Form.BOTH
        if change not in own.ready:
            return Form.OLD
        return Form.NEW if change in certain else Form.BOTH

    return {change: declared.get(change, default(change)) for change in own.expanded}
