"""The page that people see: every host in one table. Whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8884; padding: .3rem .8rem .3rem 0; text-align: left }
th { font-weight: 600 }
.away { background: #fa03; border-left: .3rem solid #fa0; padding: .5rem 1rem }
footer { color: #777; margin-top: 1rem }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd } }
"""


def page(
    version: str, facts: Iterable[str], hosts: Iterable[Mapping[str, Any]], away: Iterable[str]
) -> str:
    """The whole document; `away` are the sentences of shards that did not answer."""
    columns = ("name", *facts)
    rows = [[host.get(column) for column in columns] for host in hosts]
    head = "".join(f"<th scope=col>{escape(column.replace('_', ' '))}</th>" for column in columns)
    body = "\n".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    warnings = "".join(f"<p class=away role=alert>{escape(sentence)}</p>\n" for sentence in away)
    count = "one host" if len(rows) == 1 else f"{len(rows)} hosts"
    return f"""<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width">
<title>Fleetdesk</title>
<style>{STYLE}</style>
<h1>Fleetdesk</h1>
{warnings}<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
<footer>{count}, Fleetdesk {escape(version)}</footer>
"""


def _cell(value: object) -> str:
    return f"<td>{'' if value is None else escape(str(value))}</td>"
