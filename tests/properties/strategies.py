"""Generated versions, windows and handshakes."""

from hypothesis import strategies as st

from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window

# Small numbers meet often; large ones cross the widths at which string and number order differ.
numbers = st.one_of(st.integers(0, 3), st.sampled_from([9, 10, 11, 99, 100, 999_999_999]))
stages = st.sampled_from([None, "a", "alpha", "ab", "b", "beta", "rc", "z"])


@st.composite
def versions(draw: st.DrawFn) -> Version:
    stage = draw(stages)
    number = draw(numbers) if stage else 0
    return Version(draw(numbers), draw(numbers), draw(numbers), stage, number)


@st.composite
def version_windows(draw: st.DrawFn) -> Window[Version]:
    low, high = draw(versions()), draw(versions())
    return Window(low, high if low < high else None)


@st.composite
def schema_windows(draw: st.DrawFn) -> Window[int]:
    low = draw(st.integers(0, 20))
    return Window(low, draw(st.one_of(st.none(), st.integers(low + 1, 25))))


servers = st.builds(
    ServerHandshake, version=versions(), schemas=schema_windows(), peers=version_windows()
)
shards = st.builds(ShardHandshake, schema=st.integers(0, 22), servers=version_windows())
