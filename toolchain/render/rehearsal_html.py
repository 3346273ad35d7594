"""What a rehearsal measured, as a page of its own: each failing cell opens what failed there."""

from collections.abc import Iterator, Sequence
from html import escape

from toolchain.matrix.measured import sentences
from toolchain.matrix.measured.differences import Differences, by_release, releases_of, servers_of
from toolchain.matrix.measured.values import Cell, Failure, Measured
from toolchain.matrix.measured.verdict import Verdict, overall
from toolchain.render.figures.style import PALETTE_CSS

_STYLE = f"""
{PALETTE_CSS}
:root {{ font-family: system-ui, sans-serif; background: var(--page); color: var(--text); }}
body {{ margin: clamp(.8rem, 4vw, 2rem); line-height: 1.4; }}
.scroll {{ overflow-x: auto; }}
h1 {{ font-size: 1.5rem; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: left; font-weight: 600; padding-bottom: .6rem; }}
th, td {{ border: 1px solid var(--line); padding: .35rem .7rem; text-align: center; }}
th, td {{ vertical-align: top; }}
th, small, summary {{ white-space: nowrap; }}
td.fits {{ background: var(--yes-back); color: var(--yes); }}
td.false {{ background: var(--no-back); color: var(--no); font-weight: 600; }}
td.wider {{ background: var(--part-back); color: var(--part); }}
small {{ font-weight: 400; }}
summary {{ cursor: pointer; }}
details > div {{ text-align: left; font-weight: 400; max-width: 42rem; }}
pre {{ white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: .6rem; }}
li, pre {{ margin: .4rem 0; }}
"""


def rehearsal_html(product: str, measured: Measured, found: Differences) -> str:
    """One self-contained page, light and dark, that a screen reader can walk."""
    title = f"{escape(product)}: which servers run on which shards, measured"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        f"<h1>{title}</h1>\n<p>{_verdict(found)} PostgreSQL {escape(measured.postgresql)}"
        f" ({escape(measured.source)}), {len(measured.states)} states.</p>\n",
        _table(measured),
        _legend(),
        *_section("Differences", _differences(found)),
        *_section("Hints", _hints(found)),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


def _verdict(found: Differences) -> str:
    return "Measured and declared differ." if found.any else "Measured and declared agree."


def _table(measured: Measured) -> str:
    columns = releases_of(measured)
    schemas = {state.release: state.shard.schema for state in measured.states}
    cells = by_release(measured)
    heads = "".join(
        f'<th scope="col">{escape(str(release))}<br><small>schema {schemas[release]}</small></th>'
        for release in columns
    )
    rows = "\n".join(
        f'<tr><th scope="row">{escape(str(server))}</th>'
        + "".join(_cell(cells.get((server, release), [])) for release in columns)
        + "</tr>"
        for server in servers_of(measured)
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="The matrix">\n'
        "<table>\n<caption>Servers, on shards at each release</caption>\n"
        f'<thead><tr><th scope="col">server</th>{heads}</tr></thead>\n<tbody>\n{rows}\n'
        "</tbody>\n</table>\n</div>\n"
    )


def _cell(cells: Sequence[Cell]) -> str:
    said = overall(cells)
    kind = said.value.replace(" ", "-")
    failures = _failures(cells, said)
    if not failures:
        return f'<td class="{kind}">{said.value}</td>'
    return (
        f'<td class="{kind}"><details><summary>{said.value}</summary><div>'
        + "".join(map(_failure, failures))
        + "</div></details></td>"
    )


def _failures(cells: Sequence[Cell], said: Verdict) -> list[Failure]:
    """What failed in the states that made the verdict, each answer once."""
    found: dict[tuple[str, ...], Failure] = {}
    for cell in cells:
        if cell.declared or said is not Verdict.FALSE_PROMISE:
            for failure in cell.failures or ():
                found.setdefault(failure.told_as, failure)
    return list(found.values()) if said in (Verdict.FALSE_PROMISE, Verdict.REFUSED) else []


def _failure(failure: Failure, *, varies: bool = False) -> str:
    text = f"<pre>{escape(failure.statement.text)}</pre>" if failure.statement else ""
    return f"<p>{escape(sentences.answer_sentence(failure, varies=varies))}</p>{text}"


def _legend() -> str:
    items = "".join(f"<li><b>{each.value}</b>: {escape(each.meaning)}</li>" for each in Verdict)
    return f"<ul>{items}</ul>\n"


def _section(heading: str, items: Iterator[str]) -> Iterator[str]:
    listed = "".join(f"<li>{item}</li>\n" for item in items)
    if listed:
        yield f"<h2>{heading}</h2>\n<ul>\n{listed}</ul>\n"


def _differences(found: Differences) -> Iterator[str]:
    for promise in found.promises:
        yield (
            f"{escape(sentences.promise_sentence(promise))}"
            f"{_failure(promise.failure, varies=promise.varies)}"
            f"<p>{escape(sentences.windows_sentence(promise))}</p>"
        )
    for broken in found.broken:
        yield escape(sentences.broken_sentence(broken))
    for comparison in found.schemas:
        rows = "".join(
            f'<tr><th scope="row">{escape(each.name)}</th>'
            f"<td><pre>{escape(each.upgraded or 'is not there')}</pre></td>"
            f"<td><pre>{escape(each.fresh or 'is not there')}</pre></td></tr>"
            for each in comparison.differences
        )
        yield (
            f"{escape(sentences.schemas_sentence(comparison))}<table><thead><tr>"
            '<th scope="col">object</th><th scope="col">upgraded</th><th scope="col">fresh</th>'
            f"</tr></thead><tbody>{rows}</tbody></table>"
        )


def _hints(found: Differences) -> Iterator[str]:
    for wider in found.wider:
        yield escape(sentences.wider_sentence(wider))
    for order in found.orders:
        yield escape(sentences.order_sentence(order))
    if found.unmeasured:
        yield escape(sentences.unmeasured_sentence(found.unmeasured))
