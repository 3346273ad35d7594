"""Measurements in a report: a reason for each different failure of a server, told once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from toolchain.model.version import Version
from toolchain.render.report.content import Fact, Reason
from toolchain.report.measured_file import Failed, Tried
from toolchain.report.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The reasons of a rehearsal, and the anchor of each pair that failed."""

    reasons: tuple[Reason, ...] = ()
    anchors: Mapping[tuple[Version, Version], str]


def failures_told(tried: Tried, places: Places) -> Told:
    """Each failure of a server once, with all the releases whose shards show it."""
    found: defaultdict[tuple[Version, Failed], list[Version]] = defaultdict(list)
    for (server, release), failed in sorted(tried.failed.items(), key=lambda item: item[0]):
        found[server, failed].append(release)
    numbers: defaultdict[Version, int] = defaultdict(int)
    reasons, anchors = [], {}
    for (server, failed), releases in found.items():
        numbers[server] += 1
        anchor = f"reason-measured-{server}-{numbers[server]}"
        anchors.update({(server, release): anchor for release in releases})
        at = ", ".join(map(str, releases))
        reasons.append(
            Reason(
                anchor=anchor,
                heading=f"Measured: the server {server} fails on a shard at {at}",
                facts=tuple(_facts(failed, places)),
            )
        )
    return Told(reasons=tuple(reasons), anchors=anchors)


def _facts(failed: Failed, places: Places) -> list[Fact]:
    facts = [Fact(sentence=places.shorten(failed.sentence), quote=failed.sql or "")]
    if failed.more:
        others = "1 more statement fails" if failed.more == 1 else f"{failed.more} more fail"
        facts.append(Fact(sentence=f"{others} there; 'interlock rehearse' lists them."))
    return facts
