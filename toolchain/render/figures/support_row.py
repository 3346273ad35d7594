"""One release along the calendar: a bar for its server and one for its database."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.matrix.support import Refused, Support
from toolchain.model.release import Release
from toolchain.render.figures.calendar import Calendar
from toolchain.render.figures.figure import Fact, Reason, anchor
from toolchain.render.figures.svg import beside, box, fitting, line, link, polygon, text

HEIGHT = 44
UNTIL, NOT_WITH = "until", "not with"
_BAR, _LEAST, _TIP = 15, 3, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportRow:
    """A release with its two ends, and what is special about it; `y` is where the row begins."""

    release: Release
    ends: Support
    kind: str
    y: int

    def reason(self) -> Reason:
        """Until when each half fits, and the window that ends it."""
        release = self.release
        facts = []
        if release.withdrawn is not None:
            facts.append(
                Fact(sentence=f"It is withdrawn: {release.withdrawn}", origin=release.origin)
            )
        for half, others, end, origin in (
            ("server", "databases", self.ends.server, release.server.schemas_origin),
            ("database", "servers", self.ends.database, release.database.servers_origin),
        ):
            facts.append(
                Fact(sentence=f"Its {half} fits the {others} of all later versions.", origin=origin)
                if end is None
                else Fact(
                    sentence=f"Its {half} {self._until(others, end)}: {end.sentence}.",
                    origin=end.origin,
                )
            )
        return Reason(
            anchor=self._anchor,
            heading=f"Release {release.version}, {release.date}{self.kind}",
            facts=tuple(facts),
        )

    def _until(self, others: str, end: Refused) -> str:
        if end.date < self.release.date:
            return f"does not fit {end.release}, which was out already on {end.date}"
        return f"fits later {others} until {end.release} came out on {end.date}"

    def drawn(self, calendar: Calendar) -> Iterator[str]:
        """The label, which opens the reasons, and the bars."""
        release, y = self.release, self.y
        yield link(
            self._anchor,
            f"{release.version}: how long it fits what came later",
            text(0, y + 19, str(release.version), "figure-linked"),
        )
        yield text(0, y + 36, f"{release.date}{self.kind}", "figure-small figure-quiet")
        begin = calendar.x(release.date)
        yield beside(begin - 6, y + 26, calendar.left, str(release.version))
        yield self._bar(calendar, "server", "new", self.ends.server, y + 5)
        yield self._bar(calendar, "database", "both", self.ends.database, y + 24)

    def _bar(self, calendar: Calendar, half: str, kind: str, end: Refused | None, y: int) -> str:
        begin = calendar.x(self.release.date)
        finish = calendar.right if end is None else calendar.x(end.date)
        width = max(finish - begin, _LEAST)
        withdrawn = " figure-withdrawn" if self.release.withdrawn is not None else ""
        shapes = [
            box(begin, y, width, _BAR, f"figure-back-{kind}{withdrawn}"),
            fitting(begin, y + 11, width, (half,), f"figure-ink-{kind}"),
        ]
        x = begin + width
        if end is None:
            said = f"{half} {self.release.version} fits those of all later versions"
            tip = ((x, y), (x + _TIP, y + _BAR // 2), (x, y + _BAR))
            shapes.append(polygon(tip, "figure-tip"))
        else:
            said = f"{half} {self.release.version} fits until {end.release}: {end.sentence}"
            shapes.append(line(x, y - 1, x, y + _BAR + 1, "figure-edge-no"))
            ended = f"{UNTIL if end.date >= self.release.date else NOT_WITH} {end.release}"
            shapes.append(text(x + 6, y + 11, ended, "figure-small figure-quiet"))
        return link(self._anchor, said, *shapes, focus=False)

    @property
    def _anchor(self) -> str:
        return anchor("support", self.release.version)
