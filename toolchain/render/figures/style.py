"""The colours of pages and pictures, light and dark, and the classes that pictures use.

Pages bring the palette as custom properties; a picture in a file of its own has the colours written
out, since not every viewer of SVG knows properties.
"""

import re

# Name, on light, on dark. Each colour of text has 4.5:1 on the page and on its own `-back`.
PALETTE = (
    ("page", "#ffffff", "#14181c"),
    ("text", "#1c2126", "#e4e8ec"),
    ("soft", "#59636e", "#a3adb8"),
    ("field", "#f3f5f7", "#1f252b"),
    ("line", "#d5dae0", "#39424b"),
    ("mark", "#0a5dc2", "#7db4ff"),
    ("yes", "#0b6b3a", "#6fd79b"),
    ("yes-back", "#dff3e6", "#12351f"),
    ("no", "#a8201a", "#ff9d94"),
    ("no-back", "#fbe3e1", "#431b18"),
    ("part", "#7a4d00", "#f0bd62"),
    ("part-back", "#fdefd0", "#3d2d0a"),
    ("old", "#7d4300", "#f0a868"),
    ("old-back", "#fbe6cf", "#3d2a12"),
    ("new", "#0b5cad", "#79c0ff"),
    ("new-back", "#d9ebff", "#10304f"),
    ("both", "#5b32a8", "#c8a6ff"),
    ("both-back", "#ebe2ff", "#2f2250"),
    ("phase-expand", "#0b5cad", "#79c0ff"),
    ("phase-migrate", "#5b32a8", "#c8a6ff"),
    ("phase-contract", "#a40e26", "#ff9492"),
)

FIGURE_CSS = """\
.figure { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-size: 13px; print-color-adjust: exact; }
.figure text { fill: var(--text); font-variant-numeric: tabular-nums; }
.figure .figure-small { font-size: 11px; }
.figure .figure-title { font-size: 17px; font-weight: 600; }
.figure .figure-strong { font-weight: 600; }
.figure .figure-quiet { fill: var(--soft); }
.figure .figure-ground { fill: var(--page); }
.figure .figure-stripe { fill: var(--field); }
.figure .figure-grid { stroke: var(--line); stroke-width: 1; }
.figure .figure-axis { stroke: var(--soft); stroke-width: 1; }
.figure .figure-way { stroke: var(--soft); stroke-width: 2; fill: none; }
.figure .figure-more { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 2 6; }
.figure .figure-hatch { stroke: var(--part); stroke-width: 1.5; }
.figure .figure-back-new { fill: var(--new-back); stroke: var(--new); }
.figure .figure-back-both { fill: var(--both-back); stroke: var(--both); }
.figure .figure-back-part { fill: var(--part-back); stroke: var(--part); }
.figure .figure-withdrawn { stroke-dasharray: 4 3; }
.figure .figure-back-none { fill: var(--field); stroke: var(--line); }
.figure .figure-yes { fill: var(--yes); }
.figure .figure-ink-new { fill: var(--new); }
.figure .figure-ink-both { fill: var(--both); }
.figure .figure-ink-part { fill: var(--part); stroke: var(--part-back); stroke-width: 3; }
.figure .figure-ink-part { paint-order: stroke; }
.figure .figure-ink-no { fill: var(--no); }
.figure .figure-ink-none { fill: var(--soft); }
.figure .figure-ink-expand { fill: var(--phase-expand); font-weight: 600; }
.figure .figure-ink-migrate { fill: var(--phase-migrate); font-weight: 600; }
.figure .figure-ink-contract { fill: var(--phase-contract); font-weight: 600; }
.figure .figure-edge-new { stroke: var(--new); stroke-width: 3; }
.figure .figure-edge-no { stroke: var(--no); stroke-width: 3; }
.figure .figure-return { stroke: var(--no); stroke-width: 2; stroke-dasharray: 6 4; }
.figure .figure-shards { fill: var(--new); stroke: var(--new); stroke-width: 2; }
.figure .figure-waits { fill: var(--page); stroke: var(--new); stroke-width: 2; }
.figure .figure-servers { fill: var(--yes); stroke: var(--yes); stroke-width: 2; }
.figure .figure-tip { fill: var(--soft); }
.figure .figure-final { fill: var(--no); stroke: var(--no); stroke-width: 2; }
.figure .figure-final-waits { fill: var(--page); stroke: var(--no); stroke-width: 2; }
.figure .figure-start { fill: var(--page); stroke: var(--soft); stroke-width: 2; }
.figure .figure-inside { fill: var(--page); font-size: 11px; font-weight: 600; }
.figure .figure-outside-final { fill: var(--no); font-size: 11px; font-weight: 600; }
.figure .figure-outside { fill: var(--new); font-size: 11px; font-weight: 600; }
.figure text.figure-tiny { font-size: 9px; }
.figure a { text-decoration: none; cursor: pointer; }
.figure a text.figure-linked { fill: var(--mark); text-decoration: underline; }
.figure a:hover { opacity: .75; }
.figure a:focus { outline: none; }
.figure a:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.figure :target text { font-weight: 600; }
"""

_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")


def _written_out(at: int) -> str:
    values = {each[0]: each[at] for each in PALETTE}
    return _VARIABLE.sub(lambda match: values[match[1]], FIGURE_CSS)


def _properties(at: int) -> str:
    return " ".join(f"--{each[0]}: {each[at]};" for each in PALETTE)


# Paper is light whatever the screen is.
_DARK = "@media screen and (prefers-color-scheme: dark)"

PALETTE_CSS = (
    f":root {{ color-scheme: light dark; {_properties(1)} }}\n"
    f"{_DARK} {{ :root {{ {_properties(2)} }} }}\n"
    "@media print { :root { color-scheme: light; } }\n"
)

_COLOURED = "\n".join(line for line in _written_out(2).splitlines() if "#" in line)

STANDALONE_CSS = f"{_written_out(1)}{_DARK} {{\n{_COLOURED}\n}}\n"
