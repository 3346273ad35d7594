"""What is known of a change, as the sentences that its ribbon opens."""

from collections.abc import Iterator
from itertools import groupby

from toolchain.matrix.life import Life, Use
from toolchain.model.change import Form, Phase
from toolchain.model.release import Product, Release
from toolchain.render.figures.figure import Fact, Reason, anchor

PHASES = {Phase.EXPAND: "expands", Phase.MIGRATE: "migrates", Phase.CONTRACT: "contracts"}
FORMS = {Form.OLD: "the old form alone", Form.NEW: "the new form alone", Form.BOTH: "both forms"}


def life_anchor(life: Life) -> str:
    """The anchor of a change's reason."""
    return anchor("change", life.change)


def life_reason(product: Product, life: Life, *, alike: bool) -> Reason:
    """Its phases, its users, and the windows that follow; `alike` where no server sees a form."""
    facts = [
        Fact(
            sentence=f"Release {moment.release} {PHASES[moment.phase]} it, with schema"
            f" {moment.schema}.",
            origin=moment.origin,
        )
        for moment in life.moments
    ]
    if alike:
        facts.append(Fact(sentence="No server can tell its forms apart."))
    else:
        facts += _uses(life)
        facts += _windows(product, life)
    facts += _next(life, alike=alike)
    return Reason(
        anchor=life_anchor(life),
        heading=f"Change {life.change}: {status(life, alike=alike)}",
        facts=tuple(facts),
    )


def status(life: Life, *, alike: bool) -> str:
    """How far the change is, in a few words."""
    if life.contracted is not None:
        return f"old form gone in {life.contracted}"
    if life.ready is None:
        return "new form not ready"
    if alike or not life.users(Form.OLD):
        return f"ready in {life.ready}"
    return f"both forms since {life.ready}"


def needing(product: Product, life: Life) -> Iterator[Release]:
    """The first release of each run whose servers need the new form: their windows begin at it."""
    by_version = {release.version: release for release in product.releases}
    for form, group in groupby(life.uses, key=lambda use: use.form):
        if form is Form.NEW:
            yield by_version[next(group).release]


def losing(product: Product, life: Life) -> Iterator[Release]:
    """The releases whose databases remove the old form, so that older servers end there."""
    if life.users(Form.OLD):
        for moment in life.moments:
            if moment.phase is Phase.CONTRACT:
                yield product.release(moment.release)


def _uses(life: Life) -> Iterator[Fact]:
    for (form, declared), group in groupby(life.uses, key=lambda use: (use.form, use.declared)):
        uses = list(group)
        yield Fact(
            sentence=f"{_servers(uses)} {FORMS[form]}{_whose(form, declared=declared)}.",
            origin=uses[0].origin,
        )


def _whose(form: Form, *, declared: bool) -> str:
    if declared:
        return ", as declared"
    return "" if form is Form.OLD else ", by the rollout policy"


def _servers(uses: list[Use]) -> str:
    first, last = uses[0].release, uses[-1].release
    return f"Server {first} uses" if first == last else f"Servers {first} to {last} use"


def _windows(product: Product, life: Life) -> Iterator[Fact]:
    for release in needing(product, life):
        yield Fact(
            sentence=f"Server {release.version} needs the new form, so its schemas begin no"
            f" earlier than where that is ready: it runs on {release.server.schemas}.",
            origin=release.server.schemas_origin,
        )
    for release in losing(product, life):
        yield Fact(
            sentence=f"Database {release.version} has lost the old form, so servers that use it"
            f" alone end there: it accepts {release.database.servers}.",
            origin=release.database.servers_origin,
        )


def _next(life: Life, *, alike: bool) -> Iterator[Fact]:
    if life.contracted is not None or life.ready is None or alike or not life.users(Form.OLD):
        return
    if not life.blocking:
        yield Fact(sentence="The next release may remove the old form.")
    else:
        named = ", ".join(str(use.release) for use in life.blocking)
        more = "one more release" if life.wait == 1 else f"{life.wait} more releases"
        yield Fact(
            sentence=f"The old form may be removed after {more}: within the promised reach"
            f" (skew {life.skew}), these servers use it alone: {named}.",
            origin=life.blocking[-1].origin,
        )
