"""product.yaml from what packages say of themselves, with what nobody said marked for a person."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolchain.importer.facts import Facts, Note
from toolchain.importer.yaml_text import block, comment, scalar
from toolchain.model.release import Format
from toolchain.spec.problem import Complaint
from toolchain.spec.values import lines

_CHECKS: dict[str, Callable[[str], None]] = {
    "summary": lines.summary,
    "description": lines.paragraphs,
    "maintainer": lines.maintainer,
    "homepage": lines.homepage,
    "licence": lines.licence,
    "copyright": lines.line,
}
_LONGEST_SUMMARY = 80

# Names of licences in Debian's and rpm's older style, as SPDX has them.
_LICENCES = {
    "expat": "MIT", "asl 2.0": "Apache-2.0", "apache-2": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "gpl-2+": "GPL-2.0-or-later", "gplv2+": "GPL-2.0-or-later", "gpl-2": "GPL-2.0-only",
    "gplv2": "GPL-2.0-only", "gpl-3+": "GPL-3.0-or-later", "gplv3+": "GPL-3.0-or-later",
    "gpl-3": "GPL-3.0-only", "gplv3": "GPL-3.0-only", "lgpl-2.1+": "LGPL-2.1-or-later",
    "bsd-3-clause": "BSD-3-Clause", "bsd-2-clause": "BSD-2-Clause", "bsd": "BSD-3-Clause",
    "mplv2.0": "MPL-2.0", "isc": "ISC", "postgresql": "PostgreSQL",
}  # fmt: skip
_ARCHITECTURES = {
    "all": "all", "noarch": "all", "amd64": "amd64", "x86_64": "amd64", "arm64": "arm64",
    "aarch64": "arm64",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The package formats to build, and the architecture of the payload."""

    formats: tuple[Format, ...]
    architecture: str


def targets_of(found: Sequence[Facts]) -> tuple[Targets, tuple[Note, ...]]:
    """Formats and architecture as the packages have them; both formats where nobody says."""
    formats = tuple(each for each in Format if any(facts.format is each for facts in found))
    names = {_ARCHITECTURES.get(facts.architecture, "") for facts in found} - {"all"}
    notes = []
    if len(names) > 1 or "" in names:
        said = ", ".join(sorted({facts.architecture for facts in found}))
        text = f"the architectures {said} are there, and one was taken; see 'source' for several"
        notes.append(Note(text=text, decide=True))
    architecture = min(names - {""}, default="all")
    return Targets(formats=formats or tuple(Format), architecture=architecture), tuple(notes)


def product_text(
    name: str, texts: Sequence[Facts], targets: Targets, year: int
) -> tuple[str, tuple[Note, ...]]:
    """The text of product.yaml, and what a person must decide; newest packages come first."""
    title = name.replace("-", " ").title()
    stand_in = {
        "summary": f"{title}, in one line that says what it is for",
        "description": f"What {title} does.",
        "maintainer": f"{title} Developers <{name}@example.com>",
        "homepage": f"https://{name}.example.com",
        "licence": "LicenseRef-Proprietary",
        "copyright": f"{year} {title} Developers",
    }
    text = comment("Imported. Lines of comment say what was taken from where, and what to decide.")
    text += f"product: {scalar(name)}\n"
    notes = []
    for key, fallback in stand_in.items():
        value, where = _found(key, texts)
        if value is None:
            notes.append(
                Note(text=f"nobody says the {key}; write it", where="product.yaml", decide=True)
            )
            text += comment(f"To decide: nobody says the {key}.")
        else:
            text += comment(f"From {where}.")
        written = block(value or fallback, "  ") if key == "description" else None
        text += f"{key}: {written or scalar(value or fallback) + chr(10)}"
    text += "\n" + comment(
        "To decide: which side customers upgrade first. Under any-order every server also knows"
        " the schema before its own."
    )
    text += "rollout: database-first\n"
    text += comment("How many releases back every compatibility window must reach.")
    text += "skew: 1\n\ntargets:\n"
    for each in targets.formats:
        text += f"  {each.value}: {{architectures: [{targets.architecture}]}}\n"
    return text, tuple(notes)


def _found(key: str, texts: Sequence[Facts]) -> tuple[str | None, str]:
    """The first text of a kind that a spec can hold, and where it stands."""
    for facts in texts:
        value = facts.texts.get(key, "")
        if key == "licence":
            value = _LICENCES.get(value.lower(), value)
        if key == "summary":
            value = re.sub(r"\s+", " ", value)[:_LONGEST_SUMMARY].strip().rstrip(".")
        if key == "description":
            value = value.expandtabs(4)
        try:
            if value:
                _CHECKS[key](value)
                return value, facts.where
        except Complaint:
            continue
    return None, ""
