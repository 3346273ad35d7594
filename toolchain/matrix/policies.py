"""What each rollout policy costs: which servers must know two forms of a change, and how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from toolchain.matrix.chain import FormChain, form_chain, one_form, product_chain
from toolchain.model.change import Form
from toolchain.model.release import Product, RolloutPolicy
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class DualCode:
    """The servers that must work with both forms of a change under a policy.

    `releases` carry both; `single` is the first release after them that needs the new form alone,
    None as long as there is none.
    """

    releases: tuple[Version, ...]
    since: date | None
    single: Version | None
    until: date | None

    @property
    def days(self) -> int | None:
        """From the first release with both forms to the first without; None while it lasts."""
        if self.since is None:
            return 0
        return None if self.until is None else (self.until - self.since).days


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCost:
    """One change: when its new form is ready and its old one gone, and what each policy asks.

    `declared` are the servers whose specs say that they use both, whatever the policy.
    """

    change: str
    ready: Version | None
    contracted: Version | None
    declared: tuple[Version, ...]
    costs: tuple[tuple[RolloutPolicy, DualCode], ...]

    def cost(self, policy: RolloutPolicy) -> DualCode:
        """What one policy asks."""
        return dict(self.costs)[policy]


def compare_policies(product: Product) -> tuple[ChangeCost, ...]:
    """Every change of a product that has two forms, under every policy, sorted by name."""
    own = product_chain(product)
    alike = one_form(own.links)
    chains = {policy: _without_declared(own, policy, product.skew) for policy in RolloutPolicy}
    return tuple(
        ChangeCost(
            change=change,
            ready=_first(own, [change in held.ready for held in own.held]),
            contracted=_first(own, [change in held.contracted for held in own.held]),
            declared=tuple(
                link.version for link in own.links if link.forms.get(change) is Form.BOTH
            ),
            costs=tuple((policy, _dual(chain, change)) for policy, chain in chains.items()),
        )
        for change in own.changes
        if change not in alike
    )


def _without_declared(own: FormChain, policy: RolloutPolicy, skew: int) -> FormChain:
    """The chain with the forms that a policy asks for; a server that uses the old form still does.

    A declared `both` stays out of the comparison: it costs the same under every policy.
    """
    links = [
        replace(
            link,
            forms={change: form for change, form in link.forms.items() if form is not Form.NEW},
        )
        for link in own.links
    ]
    return form_chain(links, policy, skew)


def _dual(chain: FormChain, change: str) -> DualCode:
    both = [
        chain.form(at, change) is Form.BOTH and change not in link.forms
        for at, link in enumerate(chain.links)
    ]
    if not any(both):
        return DualCode(releases=(), since=None, single=None, until=None)
    dual = [link for link, is_both in zip(chain.links, both, strict=True) if is_both]
    last = max(link.date for link in dual)
    # In time, not in version: a hotfix of an older branch comes after the main line went on.
    later = [
        link
        for at, link in enumerate(chain.links)
        if link.version > dual[0].version
        and link.date >= last
        and chain.form(at, change) is Form.NEW
    ]
    first = min(later, key=lambda link: (link.date, link.version), default=None)
    return DualCode(
        releases=tuple(link.version for link in dual),
        since=min(link.date for link in dual),
        single=first.version if first else None,
        until=first.date if first else None,
    )


def _first(chain: FormChain, marks: Sequence[bool]) -> Version | None:
    return next(
        (link.version for link, marked in zip(chain.links, marks, strict=True) if marked), None
    )
