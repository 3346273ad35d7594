"""The order in which a directory lists its files changes nothing."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.spec.chains import R, chain
from tests.unit.spec.memory import Memory
from toolchain.spec import check_product

RELEASES = {
    "1.0.0": R(schema=1, steps=("expand:start",)),
    "2.0.0": R(schema=2, steps=("expand:split",)),
    "1.0.1": R(schema=1, steps=("expand:fix",), forms={"fix": "both"}),
    "2.0.1": R(schema=3, steps=("expand:fix",)),
    "3.0.0": R(schema=4, steps=("contract:split",)),
}
SOUND = chain(RELEASES)
# Problems of several kinds, in several files.
UNSOUND = {
    **chain({**RELEASES, "3.0.0": R(schema=4, steps=("contract:split",), servers=">= 1.0.0")}),
    "4.0.0.yaml": R(schema=4, peers=">= 4.0.0", schemas=">= 1").text("4.0.0", 150),
}


class Shuffled(Memory):
    """A directory that lists its names in an order of its own."""

    def __init__(self, files: Mapping[str, bytes], order: list[str]) -> None:
        super().__init__(files)
        self._order = order

    def names(self) -> list[str]:
        return self._order


def stored(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def names(files: dict[str, str]) -> list[str]:
    return Memory(stored(files)).names()


@settings(deadline=None, max_examples=30)
@given(st.permutations(names(SOUND)))
def test_of_a_sound_product(order: list[str]) -> None:
    checked = check_product(Shuffled(stored(SOUND), order), {})
    assert checked.product is not None
    assert checked == check_product(Memory(stored(SOUND)), {})


@settings(deadline=None, max_examples=30)
@given(st.permutations(names(UNSOUND)))
def test_of_a_product_with_problems(order: list[str]) -> None:
    checked = check_product(Shuffled(stored(UNSOUND), order), {})
    assert len(checked.problems) >= 2
    assert checked == check_product(Memory(stored(UNSOUND)), {})
