"""All that clients see of a publication, staged: keys, set-up packages, indexes and the page."""

from collections.abc import Sequence

from toolchain.edge.process import Processes
from toolchain.publish.channel import Indexes
from toolchain.publish.deeds.retire import believe
from toolchain.publish.keys import remember_keys, stage_keys
from toolchain.publish.page import stage_page
from toolchain.publish.pool import Report
from toolchain.publish.setup import admit_client, client_setup
from toolchain.publish.tables.generations import Generation


def stage_seen(
    indexes: Indexes, channels: Sequence[str], processes: Processes, report: Report
) -> dict[str, Generation]:
    """Stage the indexes of these channels, of all where clients have to be set up anew."""
    state = indexes.state
    remember_keys(indexes)
    every = tuple(sorted({*state.generations.newest(), *channels}))
    known = client_setup(indexes, every)
    setup = admit_client(indexes, known, processes, report)
    if setup is not known:
        channels = every
    generations = {}
    for number, channel in enumerate(channels, 1):
        report(number, len(channels), f"indexing {channel}")
        generations[channel] = indexes.stage(channel)
    believe(state, generations.values())
    stage_keys(indexes)
    stage_page(indexes, setup)
    state.generations.forget_compressed()
    return generations
