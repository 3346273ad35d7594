"""The compatibility matrix as JSON, Markdown and a page of its own."""

from html import escape
from typing import Any

from toolchain.matrix.compatibility import Matrix, ShardState
from toolchain.plan.handshake import window_json


def state_heading(state: ShardState) -> tuple[str, str]:
    """A column's schema version, and the releases that leave a shard there."""
    return str(state.handshake.schema), ", ".join(map(str, state.releases))


def matrix_json(product: str, matrix: Matrix) -> dict[str, Any]:
    """The matrix as plain values: every cell with its server, its schema and the verdict."""
    return {
        "product": product,
        "servers": [str(server) for server in matrix.servers],
        "schemas": [
            {
                "schema": state.handshake.schema,
                "servers": window_json(state.handshake.servers),
                "releases": [str(version) for version in state.releases],
            }
            for state in matrix.states
        ],
        "fits": [list(row) for row in matrix.fits],
    }


def matrix_markdown(matrix: Matrix) -> str:
    """A table for a README or a wiki; the words stand alone, without colours."""
    headings = [f"schema {schema} ({names})" for schema, names in map(state_heading, matrix.states)]
    lines = [f"| server | {' | '.join(headings)} |", "| --- |" + " --- |" * len(headings)]
    for server, row in zip(matrix.servers, matrix.fits, strict=True):
        cells = " | ".join("fits" if fits else "no" for fits in row)
        lines.append(f"| {server} | {cells} |")
    return "\n".join(lines) + "\n"


_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: clamp(.8rem, 4vw, 2rem); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: 600; padding-bottom: .6rem; }
th, td { border: 1px solid #8886; padding: .35rem .7rem; text-align: center; }
.fits { background: #2da44e33; }
.no { background: #cf222e33; }
small { font-weight: 400; }
"""


def matrix_html(product: str, matrix: Matrix) -> str:
    """One self-contained page, light and dark, that a screen reader can walk."""
    columns = "".join(
        f'<th scope="col">{escape(schema)}<br><small>{escape(names)}</small></th>'
        for schema, names in map(state_heading, matrix.states)
    )
    rows = []
    for server, fits in zip(matrix.servers, matrix.fits, strict=True):
        cells = "".join(
            '<td class="fits">fits</td>' if cell else '<td class="no">no</td>' for cell in fits
        )
        rows.append(f'<tr><th scope="row">{escape(str(server))}</th>{cells}</tr>')
    title = f"{escape(product)}: which servers run on which schemas"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        '<div class="scroll" tabindex="0" role="region" aria-label="The matrix">\n<table>\n'
        f"<caption>{title}</caption>\n"
        f'<thead><tr><th scope="col">server</th>{columns}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody>\n</table>\n</div>\n</body>\n</html>\n"
    )
