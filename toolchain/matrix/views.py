"""The matrix seen in several ways: what is declared, derived, measured, and what packages say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from toolchain.matrix.chain import product_chain
from toolchain.matrix.derivation import Derivation
from toolchain.model.law import compatible
from toolchain.model.release import Product
from toolchain.model.version import Version


class View(Enum):
    """Who says whether a server runs on a shard; the value is the word of reports."""

    DECLARED = "declared"
    DERIVED = "derived"
    MEASURED = "measured"
    PACKAGES = "packages"


class Word(Enum):
    """What one view says of one pair."""

    FITS = "fits"
    NO = "no"
    UNKNOWN = "not known"


def word(fits: bool | None) -> Word:
    """The word for a verdict; None is one that nobody has made."""
    if fits is None:
        return Word.UNKNOWN
    return Word.FITS if fits else Word.NO


class Difference(Enum):
    """What it means that views differ; the value is the word of reports."""

    BROKEN = "broken"
    WIDER = "wider"


# By server and by the release that a shard is at.
Verdicts = Mapping[tuple[Version, Version], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """`words[view]` of each server (row) on a shard at each release (column); oldest first.

    A view that nothing is known of is not among them; what is declared comes first.
    """

    releases: tuple[Version, ...]
    words: Mapping[View, tuple[tuple[Word, ...], ...]]

    def said(self, row: int, column: int) -> Mapping[View, Word]:
        """What each view says of a pair."""
        return {view: rows[row][column] for view, rows in self.words.items()}

    def difference(self, row: int, column: int) -> Difference | None:
        """How the views that know a pair differ; None where they agree.

        A promise that could be wider harms nobody. One that fails does, and so do packages that
        let in what is refused.
        """
        said = self.said(row, column)
        words = set(said.values())
        if not words >= {Word.FITS, Word.NO}:
            return None
        narrow = said[View.DECLARED] is Word.NO and said.get(View.PACKAGES) is not Word.FITS
        return Difference.WIDER if narrow else Difference.BROKEN

    @property
    def differences(self) -> Iterator[tuple[int, int, Difference]]:
        """The pairs of which the views say different things, by row and column."""
        places = range(len(self.releases))
        for row in places:
            for column in places:
                difference = self.difference(row, column)
                if difference is not None:
                    yield row, column, difference


def views(
    product: Product, measured: Verdicts | None = None, packages: Verdicts | None = None
) -> Views:
    """Every view of a product's matrix that there is."""
    releases = tuple(release.version for release in product.releases)
    found = {View.DECLARED: declared(product), View.DERIVED: derived(product)}
    if measured is not None:
        found[View.MEASURED] = measured
    if packages is not None:
        found[View.PACKAGES] = packages
    return Views(
        releases=releases,
        words={
            view: tuple(
                tuple(word(verdicts.get((server, shard))) for shard in releases)
                for server in releases
            )
            for view, verdicts in found.items()
        },
    )


def declared(product: Product) -> Verdicts:
    """What the windows promise: the law, for each server and a shard at each release."""
    return {
        (server.version, shard.version): compatible(server.server_handshake, shard.shard_handshake)
        for server in product.releases
        for shard in product.releases
    }


def derived(product: Product) -> Verdicts:
    """What follows from changes, phases and forms alone: the widest windows that are true."""
    chain = product_chain(product)
    derivation = Derivation(chain)
    places = range(len(chain.links))
    schemas = [derivation.schemas(at).oldest for at in places]
    servers = [derivation.servers(at).oldest for at in places]
    found = {}
    for row, server in enumerate(chain.links):
        for column, shard in enumerate(chain.links):
            oldest_schema, oldest_server = schemas[row], servers[column]
            found[server.version, shard.version] = (
                oldest_schema is not None
                and oldest_server is not None
                and shard.schema >= oldest_schema
                and server.version >= oldest_server
            )
    return found
