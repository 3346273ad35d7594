"""The life of one change over the releases: who uses which form, and when the old one may go."""

from dataclasses import dataclass, replace
from datetime import date

from toolchain.matrix.chain import FormChain, Link, product_chain
from toolchain.model.change import Form, Phase, Step
from toolchain.model.history import reach
from toolchain.model.origin import Origin
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A phase of the change: the release that carries it, and the line of its spec."""

    phase: Phase
    release: Version
    schema: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one server uses of the change; `declared` says whether its spec says so."""

    release: Version
    form: Form
    declared: bool
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A change with its phases and its users, both in the order of releases.

    For a change that is not contracted, `blocking` are the servers that the next release's windows
    must still bear and that use the old form alone; `wait` is how many final releases have to come
    out before one may contract the change: 0 where the next one may.
    """

    change: str
    moments: tuple[Moment, ...]
    uses: tuple[Use, ...]
    ready: Version | None
    contracted: Version | None
    blocking: tuple[Use, ...]
    wait: int
    skew: int

    def users(self, form: Form) -> tuple[Use, ...]:
        """The servers that use one form."""
        return tuple(use for use in self.uses if use.form is form)


def life_of(product: Product, change: str) -> Life:
    """The life of a change; raises KeyError where the product has none of that name."""
    chain = product_chain(product)
    if change not in chain.changes:
        raise KeyError(change)
    return _life(product, chain, change)


def lives(product: Product) -> tuple[Life, ...]:
    """The life of every change, in the order of their first phases."""
    chain = product_chain(product)
    born = dict.fromkeys(step.change for link in chain.links for step in link.steps)
    return tuple(_life(product, chain, change) for change in born)


def _life(product: Product, chain: FormChain, change: str) -> Life:
    uses = tuple(
        Use(
            release=release.version,
            form=chain.form(at, change),
            declared=change in release.server.forms,
            origin=release.server.origin,
        )
        for at, release in enumerate(product.releases)
    )
    contracted = _first(chain, [change in held.contracted for held in chain.held])
    return Life(
        change=change,
        moments=tuple(
            _moment(release, step)
            for release in product.releases
            for step in release.database.steps
            if step.change == change
        ),
        uses=uses,
        ready=_first(chain, [change in held.ready for held in chain.held]),
        contracted=contracted,
        blocking=() if contracted else _blocking(chain, uses, product.skew, after=0),
        wait=0 if contracted else _wait(chain, uses, product.skew),
        skew=product.skew,
    )


def _moment(release: Release, step: Step) -> Moment:
    return Moment(
        phase=step.phase,
        release=release.version,
        schema=release.database.schema,
        origin=step.origin,
    )


def _first(chain: FormChain, marks: list[bool]) -> Version | None:
    return next(
        (link.version for link, marked in zip(chain.links, marks, strict=True) if marked), None
    )


def _blocking(chain: FormChain, uses: tuple[Use, ...], skew: int, *, after: int) -> tuple[Use, ...]:
    """Who uses the old form alone in the reach of a release that `after` others come before."""
    links = [*chain.links, *_to_come(chain.links[-1], after + 1)]
    met = {link.version for link in reach(links, links[-1], skew)}
    return tuple(use for use in uses if use.release in met and use.form is Form.OLD)


def _wait(chain: FormChain, uses: tuple[Use, ...], skew: int) -> int:
    """Every release to come moves the reach on by one, so at most `skew` of them are needed."""
    return next(
        (after for after in range(skew) if not _blocking(chain, uses, skew, after=after)), skew
    )


def _to_come(last: Link, count: int) -> list[Link]:
    """Final releases after the last one, which use no old form."""
    major = last.version.major
    return [
        replace(last, version=Version(major + at, 0, 0), date=date.max, steps=(), withdrawn=None)
        for at in range(1, count + 1)
    ]
