"""The report's steps: views, promises, measurements and packages joined to one content."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from toolchain.matrix.views import Difference as Kind
from toolchain.matrix.views import View, Views, views
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.rollout.routes import routes
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.render.report.content import Content, Difference, Pair, Reason, Table
from toolchain.report.changes import change_rows
from toolchain.report.measured_file import Tried
from toolchain.report.packaged import (
    Packaged,
    package_reasons,
    package_verdicts,
    packages_anchor,
)
from toolchain.report.pictures import pictures
from toolchain.report.places import Places
from toolchain.report.promises import Promises, database_anchor, server_anchor
from toolchain.report.sections import release_sections
from toolchain.report.summary import headlines, verdict
from toolchain.report.tried import Told, failures_told


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a report is made from beside the specs, as far as it is there; `day` is in UTC."""

    places: Places
    measured: Tried | None = None
    packaged: Packaged | None = None
    day: date | None = None


def gather_report(product: Product, sources: Sources) -> Content:
    """Everything that a report of this product says."""
    measured, packaged, places = sources.measured, sources.packaged, sources.places
    table = views(
        product,
        measured=None if measured is None else measured.works,
        packages=None if packaged is None else package_verdicts(product, packaged),
    )
    told = Told(anchors={}) if measured is None else failures_told(measured, places)
    other = () if packaged is None else tuple(package_reasons(product, packaged))
    promises = Promises(product, places)
    changes = change_rows(product, places)
    ways = routes(chain_of(product), product.rollout)
    shown = pictures(product, ways, places)
    pairs = _pairs(product, table, told, {reason.anchor for reason in other})
    return Content(
        product=product.name,
        summary=product.summary,
        day=sources.day or max(release.date for release in product.releases),
        verdict=verdict(table),
        headlines=tuple(headlines(product, table, ways, changes)),
        table=Table(
            views=table,
            schemas=tuple(release.database.schema for release in product.releases),
            pairs=pairs,
        ),
        differences=tuple(
            _told(table, row, column, pairs[row][column], kind)
            for row, column, kind in sorted(table.differences, key=lambda one: one[2].value)
        ),
        findings=(
            *(() if packaged is None else packaged.findings),
            *(() if measured is None else measured.broken),
        ),
        figures=shown.figures,
        changes=changes,
        sections=release_sections(promises, () if packaged is None else packaged.files),
        reasons=_once((*promises.reasons(), *told.reasons, *other, *shown.reasons)),
    )


def _pairs(
    product: Product, table: Views, told: Told, other: set[str]
) -> tuple[tuple[Pair, ...], ...]:
    """What each cell opens: the side that refuses decides, the database where both do."""

    def pair(server: Version, release: Version) -> Pair:
        window = windows[release]
        return Pair(
            decides=server_anchor(server) if server in window else database_anchor(release),
            measured=told.anchors.get((server, release), ""),
            packages=packages_anchor(server) if packages_anchor(server) in other else "",
        )

    windows = {release.version: release.database.servers for release in product.releases}
    return tuple(
        tuple(pair(server, release) for release in table.releases) for server in table.releases
    )


def _told(table: Views, row: int, column: int, pair: Pair, kind: Kind) -> Difference:
    said = table.said(row, column)
    anchor = pair.decides
    if said.get(View.MEASURED) not in (None, said[View.DECLARED]) and pair.measured:
        anchor = pair.measured
    elif said.get(View.PACKAGES) not in (None, said[View.DECLARED]) and pair.packages:
        anchor = pair.packages
    words = ", ".join(f"{view.value}: {word.value}" for view, word in said.items())
    return Difference(
        server=table.releases[row],
        release=table.releases[column],
        kind=kind,
        sentence=words,
        anchor=anchor,
    )


def _once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each anchor once, since it is the id of an element; pictures may share a reason."""
    found: dict[str, Reason] = {}
    for reason in reasons:
        known = found.setdefault(reason.anchor, reason)
        if known is not reason:
            facts = tuple(dict.fromkeys((*known.facts, *reason.facts)))
            found[reason.anchor] = replace(known, facts=facts)
    return tuple(found.values())
