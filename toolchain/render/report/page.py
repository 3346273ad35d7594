"""The report as one HTML file that needs no network and no other file."""

import base64
import hashlib

from toolchain.render.figures.style import FIGURE_CSS, PALETTE_CSS
from toolchain.render.report.cells import grid
from toolchain.render.report.content import Content
from toolchain.render.report.differences import runs
from toolchain.render.templates import Templates

# Of a long list of differences the page shows so many lines; `--json` has all pairs.
_MOST_LINES = 30


def report_html(content: Content, templates: Templates) -> str:
    """The page's text; nothing of it depends on anything but the content and the templates."""
    style = "\n".join((PALETTE_CSS, templates.render("report/page.css"), FIGURE_CSS))
    script = templates.render("report/page.js")
    differing = runs(content)
    return templates.render(
        "report/page.html.j2",
        report=content,
        grid=grid(content.table),
        differences=differing[:_MOST_LINES],
        unlisted=sum(one.pairs for one in differing[_MOST_LINES:]),
        style=style,
        script=script,
        # https://www.w3.org/TR/CSP3/: only these two run, whatever stands in a name.
        policy=f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)};"
        " base-uri 'none'; form-action 'none'",
    )


def _source(text: str) -> str:
    """A source expression that allows one inline element, by its exact content."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
