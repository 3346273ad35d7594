"""The life of each change in words, and what may be done with it next."""

from toolchain.matrix.chain import product_chain
from toolchain.matrix.life import Life, life_of
from toolchain.model.change import Form
from toolchain.model.release import Product
from toolchain.render.report.content import ChangeRow, Tone
from toolchain.report.places import Places


def change_rows(product: Product, places: Places) -> tuple[ChangeRow, ...]:
    """Every change, in the order in which they begin."""
    lives = [life_of(product, change) for change in product_chain(product).changes]
    lives.sort(key=lambda life: (life.moments[0].release, life.change))
    return tuple(
        ChangeRow(
            name=life.change,
            phases=tuple(
                (moment.phase.value, moment.release, places.spell(moment.origin))
                for moment in life.moments
            ),
            stands=_stands(life),
            tone=_tone(life),
        )
        for life in lives
    )


def _stands(life: Life) -> str:
    if life.contracted is not None:
        return f"done: the old form is gone with {life.contracted}"
    if life.ready is None:
        return "under way: a release has to migrate its data before anyone can use the new form"
    if not life.users(Form.OLD):
        return "done: no server has an old form to lose"
    if life.blocking:
        names = ", ".join(str(use.release) for use in life.blocking)
        later = "one more release" if life.wait == 1 else f"{life.wait} more releases"
        return f"waiting: server {names} needs the old form; it may be dropped after {later}"
    return "ready: the next release may drop the old form"


def _tone(life: Life) -> Tone:
    if life.contracted is not None or (life.ready is not None and not life.users(Form.OLD)):
        return Tone.GOOD
    return Tone.CAUTION if life.ready is None or life.blocking else Tone.PLAIN
