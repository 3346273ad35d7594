"""Servers of different forms on one shard: each one's samples, read back by the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from toolchain.edge.postgres.looks import play
from toolchain.edge.postgres.statements import Script, Trial
from toolchain.matrix.chain import product_chain
from toolchain.matrix.measured.exchange import Missed, unlike_its_own, unlike_the_writer
from toolchain.matrix.measured.looks import Look, Reader
from toolchain.matrix.measured.sentences import missed_sentence
from toolchain.matrix.measured.values import Exchange, Failure, Means
from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.model.refactoring import AddColumn, DropColumn
from toolchain.model.release import Product, Release
from toolchain.model.statement import Statement
from toolchain.model.version import Version

# What a reader misses of a writer, by reader and writer.
Exchanges = Mapping[tuple[Version, Version], tuple[Failure, ...]]


def differing_pairs(
    product: Product, releases: Sequence[Release]
) -> tuple[tuple[Release, Release], ...]:
    """Every reader and writer that use different forms of some change, and may run together."""
    chain = product_chain(product)
    places = {link.version: at for at, link in enumerate(chain.links)}
    forms = {
        release.version: [chain.form(places[release.version], change) for change in chain.changes]
        for release in releases
    }
    return tuple(
        (reader, writer)
        for reader, writer in permutations(releases, 2)
        if forms[reader.version] != forms[writer.version]
        and peers_compatible(reader.server_handshake, writer.server_handshake)
    )


def together(
    pairs: Sequence[tuple[Release, Release]], shard: ShardHandshake
) -> tuple[tuple[Release, Release], ...]:
    """The pairs that may both work on a shard."""
    return tuple(
        (reader, writer)
        for reader, writer in pairs
        if compatible(reader.server_handshake, shard) and compatible(writer.server_handshake, shard)
    )


def one_sided(product: Product) -> frozenset[str]:
    """Columns that a declared change gives to new servers alone, or leaves to old ones."""
    return frozenset(
        step.refactoring.column
        for release in product.releases
        for step in release.database.steps
        if isinstance(step.refactoring, AddColumn | DropColumn)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanging:
    """Exchanges on one database; what a server's own writes look like to it is run once."""

    trying: Trial
    ignored: frozenset[str]
    _own: dict[object, tuple[Sequence[Reader], Sequence[Look], Sequence[Look]]] = field(
        default_factory=dict
    )

    def misses(self, reader: Release, writer: Release) -> tuple[Failure, ...]:
        """What a server misses of another's writes, each of its statements once."""
        ours, theirs = reader.server.statements, writer.server.statements
        common = self._writes(ours) & self._writes(theirs)
        alike = {(each.name, each.sql) for each in ours} & {
            (each.name, each.sql) for each in theirs
        }
        namesakes = {each.name: each for each in theirs if each.sql in self.trying.reads}
        if not any(each.samples for each in ours if each.sql in self.trying.reads):
            return ()
        program, own_program = _aligned(ours, theirs)
        readers, looks, again = self._seen_by_itself(reader, own_program)
        pairs = [
            (Reader(statement=namesakes[each.statement.name], sample=each.sample), each)
            for each in readers
            if each.statement.name in namesakes
            and _same_question(namesakes[each.statement.name], each)
        ]
        written = play(self.trying, program, (*readers, *(theirs for theirs, _ in pairs)))
        found: dict[str, Failure] = {}
        for missed in (
            *unlike_the_writer(written, pairs),
            *unlike_its_own(
                written, looks, again, common, self.ignored, frozenset(name for name, _ in alike)
            ),
        ):
            failure = _failure(missed, reader, writer)
            found.setdefault(failure.name, failure)
        return tuple(found.values())

    def _writes(self, statements: Sequence[Statement]) -> frozenset[str]:
        return frozenset(
            each.name for each in statements if each.samples and each.sql not in self.trying.reads
        )

    def _seen_by_itself(
        self, reader: Release, program: Sequence[Script]
    ) -> tuple[Sequence[Reader], Sequence[Look], Sequence[Look]]:
        """A server's readers, and what they see of its own writes, twice."""
        key = (reader.version, tuple(len(samples) for _, samples in program))
        if key not in self._own:
            readers = tuple(
                Reader(statement=each, sample=at)
                for each in reader.server.statements
                if each.sql in self.trying.reads
                for at in range(len(each.samples))
            )
            first, second = (play(self.trying, program, readers) for _ in range(2))
            both = min(len(first), len(second))
            self._own[key] = (readers, first[:both], second[:both])
        return self._own[key]


def _aligned(
    ours: Sequence[Statement], theirs: Sequence[Statement]
) -> tuple[list[Script], list[Script]]:
    """The programs of the writer and of the reader, with as many samples of the same name.

    Where they send the very same text they send the reader's values; otherwise the samples at the
    same place say the same, each in its release's words.
    """
    others = {each.name: each for each in ours}
    written: list[Script] = []
    counts: dict[str, int] = {}
    for statement in theirs:
        other = others.get(statement.name)
        if other is not None and other.sql == statement.sql:
            written.append((statement, other.samples))
            continue
        count = len(statement.samples)
        if other is not None:
            count = counts[statement.name] = min(count, len(other.samples))
        written.append((statement, statement.samples[:count]))
    own = [(each, each.samples[: counts.get(each.name, len(each.samples))]) for each in ours]
    return written, own


def _same_question(statement: Statement, reader: Reader) -> bool:
    """Whether a namesake asks for the same, in words of its own."""
    if statement.sql == reader.statement.sql or reader.sample >= len(statement.samples):
        return False
    asked, ours = statement.samples[reader.sample], reader.statement.samples[reader.sample]
    return sorted(map(repr, asked)) == sorted(map(repr, ours))


def _failure(missed: Missed, reader: Release, writer: Release) -> Failure:
    exchange = Exchange(
        writer=writer.version,
        wrote=missed.wrote,
        expected=missed.expected,
        found=missed.found,
        own=missed.own,
    )
    return Failure(
        means=Means.EXCHANGE,
        statement=missed.reader.statement,
        code="",
        message=missed_sentence(exchange, reader.version),
        exchange=exchange,
    )
