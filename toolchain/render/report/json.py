"""The report as plain values, for programs."""

from typing import Any

from toolchain.render.report.content import Content, Fact, Headline, Section


def report_json(content: Content) -> dict[str, Any]:
    """All that the page says, without its pictures; rows and columns of views are `releases`."""
    table = content.table
    return {
        "product": content.product,
        "date": content.day.isoformat(),
        "verdict": _headline(content.verdict),
        "headlines": [_headline(one) for one in content.headlines],
        "releases": [str(version) for version in table.views.releases],
        "schemas": list(table.schemas),
        "views": {
            view.value: [[word.value for word in row] for row in rows]
            for view, rows in table.views.words.items()
        },
        "differences": [
            {
                "server": str(one.server),
                "release": str(one.release),
                "kind": one.kind.value,
                "sentence": one.sentence,
                "reason": one.anchor,
            }
            for one in content.differences
        ],
        "findings": list(content.findings),
        "changes": [
            {
                "change": change.name,
                "stands": change.stands,
                "phases": [
                    {"phase": phase, "release": str(release), "place": place}
                    for phase, release, place in change.phases
                ],
            }
            for change in content.changes
        ],
        "sections": [_section(section) for section in content.sections],
        "reasons": {
            reason.anchor: {
                "heading": reason.heading,
                "facts": [_fact(fact) for fact in reason.facts],
            }
            for reason in content.reasons
        },
    }


def _headline(headline: Headline) -> dict[str, str]:
    return {
        "title": headline.title,
        "value": headline.value,
        "sentence": headline.sentence,
        "tone": headline.tone.value,
    }


def _fact(fact: Fact) -> dict[str, str | None]:
    return {
        "sentence": fact.sentence,
        "place": fact.place or None,
        "sql": fact.quote or None,
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "release": str(section.version),
        "date": section.date.isoformat(),
        "schema": section.schema,
        "tags": list(section.tags),
        "withdrawn": section.withdrawn or None,
        "changelog": list(section.changelog),
        "windows": [
            {
                "side": promise.side,
                "window": promise.window,
                "declared": promise.declared,
                "truth": promise.truth or None,
                "place": promise.place,
            }
            for promise in section.promises
        ],
        "phases": [
            {
                "phase": phase.phase,
                "change": phase.change,
                "how": phase.how,
                "why": phase.why or None,
                "place": phase.place,
            }
            for phase in section.phases
        ],
        "forms": {form: list(changes) for form, changes in section.forms},
        "packages": [
            {
                "name": package.name,
                "size": package.size or None,
                "sha256": package.sha256 or None,
                "relations": list(package.relations),
                "says": package.says or None,
            }
            for package in section.packages
        ],
    }
