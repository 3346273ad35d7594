"""A channel's next publication: both indexes, and when they go out of validity."""

from dataclasses import dataclass

from toolchain.errors import OutputError
from toolchain.model.release import Format
from toolchain.plan.repository.layout import STATE, yum_link, yum_mirrors, yum_state
from toolchain.publish.apt import stage_apt
from toolchain.publish.fragments import PACKAGES, Fragments
from toolchain.publish.signing import Signs
from toolchain.publish.staging import Staging
from toolchain.publish.state import State
from toolchain.publish.tables.generations import Generation
from toolchain.publish.yum import repodata

# Indexes that are no longer the newest stay for clients that are in the middle, in seconds.
GRACE = 2 * 86400
# How far a serial may run before the clock when publications follow each other in one second; apt
# believes ten seconds of the future (Acquire::Max-FutureTime).
_AHEAD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """Everything that makes indexes; `url` is the repository's address without a slash at its end.

    `now` and `validity` are in seconds.
    """

    state: State
    staging: Staging
    signer: Signs
    product: str
    url: str
    now: int
    validity: int

    def stage(self, channel: str) -> Generation:
        """Stage a channel's indexes, and remember them; OutputError when the clock is off."""
        serial = next_serial(self.state, channel, self.now)
        generation = Generation(serial=serial, valid_until=serial + self.validity)
        formats = self.state.packages.formats()
        paths: tuple[str, ...] = ()
        if Format.DEB in formats:
            paths += stage_apt(
                self.staging, self.state, self.signer, channel, generation, product=self.product
            )
        if Format.RPM in formats:
            paths += self._stage_yum(channel, generation)
        for path in self.state.generations.follow(channel, generation, paths):
            self.state.tasks.retire(path, self.now + GRACE)
        for path in paths:
            self.state.tasks.unretire(path)
        return generation

    def _stage_yum(self, channel: str, generation: Generation) -> tuple[str, ...]:
        """One more state, which never changes, and the two ways that lead to it.

        repomd.xml and its signature are two requests: a client that comes by the mirror list gets
        both of one state, whatever is published in between.
        """
        rpms = [
            one for one in self.state.channels.members(channel) if one.file.format is Format.RPM
        ]
        files = repodata(
            (Fragments.parse(self.state.packages.fragments(one)) for one in rpms),
            serial=generation.serial,
            valid_until=generation.valid_until,
        )
        signature = self.signer.detached(files["repomd.xml"])
        place = yum_state(channel, generation.serial)
        content = {f"repodata/{name}": data for name, data in files.items()}
        content["repodata/repomd.xml.asc"] = signature
        self.staging.directory(place, content, {PACKAGES: f"../../../{PACKAGES}"})
        address = f"{self.url}/{place}/\n"
        self.staging.write(yum_mirrors(channel), address.encode(), switch=generation.serial)
        self.staging.link(yum_link(channel), place.removeprefix("rpm/"))
        return (place,)


def next_serial(state: State, channel: str, now: int) -> int:
    """The number of a channel's next publication, later than every one before it.

    Clients refuse an index that is older than the one they know, and one of the future.
    """
    last = state.generations.newest().get(channel)
    serial = now if last is None else max(now, last.serial + 1)
    if serial - now > _AHEAD:
        raise OutputError(
            f"this machine's clock is {serial - now} seconds behind the last publication of"
            f" {channel}",
            "set the clock; if it was wrong only then, restore the whole repository with its"
            f" {STATE} from a backup of before, since no client believes an index of the future",
        )
    return serial
