"""What a report speaks of: values without layout, every place already a text."""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from toolchain.matrix.views import Difference as Kind
from toolchain.matrix.views import Views
from toolchain.model.version import Version


class Tone(Enum):
    """How good a piece of news is; the page says it in words and in colour."""

    GOOD = "good"
    PLAIN = "plain"
    CAUTION = "caution"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One piece of news at the top: a few words and a sentence; `anchor` is where more stands."""

    title: str
    value: str
    sentence: str
    anchor: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One sentence, the place in a spec that says so (`4.1.0.yaml:12:5`), and quoted SQL."""

    sentence: str
    place: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a cell or an edge opens; the anchor is the element's id on the page."""

    anchor: str
    heading: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture in SVG, ready to stand in a section of the page; the other texts are plain."""

    section: str
    title: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a cell opens beside the promises of both sides, by anchors of reasons.

    `decides` is the side that refuses, or the server's where both accept.
    """

    decides: str
    measured: str = ""
    packages: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The matrix in all its views; `schemas` has one number for each release.

    `pairs` has its rows and columns as the views have.
    """

    views: Views
    schemas: tuple[int, ...]
    pairs: tuple[tuple[Pair, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One window of a release: what is promised, what would be true, and why.

    `window` is `>= 12`; `truth` is the widest true one, empty where nothing is derived.
    """

    side: str
    window: str
    declared: bool
    truth: str
    place: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """A phase that a release carries, of which change, how and where it says so."""

    phase: str
    change: str
    how: str
    why: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow:
    """A package of a release with its relations.

    `size` is in bytes; it is 0, and `sha256` empty, where the package is planned. `says` are the
    windows of its own release.json where they are not the spec's.
    """

    name: str
    size: int
    sha256: str
    relations: tuple[str, ...]
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One release, with all that the page says of it; `tags` are words such as `withdrawn`.

    `forms` are the changes of which its server uses the `new` form, the `old` one, or `both`.
    """

    version: Version
    date: date
    schema: int
    tags: tuple[str, ...]
    withdrawn: str
    changelog: tuple[str, ...]
    place: str
    promises: tuple[Promise, ...]
    phases: tuple[PhaseRow, ...]
    forms: tuple[tuple[str, tuple[str, ...]], ...]
    built: bool
    packages: tuple[PackageRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """The life of a change in words: its phases by release, and what may come next."""

    name: str
    phases: tuple[tuple[str, Version, str], ...]
    stands: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A pair of which the views say different things, in a sentence."""

    server: Version
    release: Version
    kind: Kind
    sentence: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that stands in a report.

    `day` (UTC) is that of the newest spec, or the one that was asked for. `findings` are sentences
    about packages and measurements that belong to no pair.
    """

    product: str
    summary: str
    day: date
    verdict: Headline
    headlines: tuple[Headline, ...]
    table: Table
    differences: tuple[Difference, ...]
    findings: tuple[str, ...]
    figures: tuple[Figure, ...]
    changes: tuple[ChangeRow, ...]
    sections: tuple[Section, ...]
    reasons: tuple[Reason, ...]

    def figures_of(self, section: str) -> tuple[Figure, ...]:
        """The pictures of one section."""
        return tuple(figure for figure in self.figures if figure.section == section)
