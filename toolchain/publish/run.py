"""`interlock publish`: check everything, stage everything, decide, and let clients see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolchain.edge.process import Processes
from toolchain.errors import RefusedError, UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.publish.arrivals import Arrival, arrivals, product_of
from toolchain.publish.channel import Indexes
from toolchain.publish.keys import drop_key, remember_keys, stage_keys
from toolchain.publish.page import stage_page
from toolchain.publish.pool import Report, admit
from toolchain.publish.prune import Pruning, Rule, plan_pruning, retire, take_out
from toolchain.publish.record import Record
from toolchain.publish.session import Session, nothing, session
from toolchain.publish.setup import admit_client, client_setup
from toolchain.publish.signing import Signs
from toolchain.publish.staging import Checkpoint
from toolchain.publish.state import Generation, State, Withdrawal
from toolchain.publish.withdraw import withdraw

# Given a channel, all packages that it would offer, and the digests of those that are new there,
# raises RefusedError where they are not proved.
Proof = Callable[[str, Sequence[PackageFile], frozenset[str]], None]
# The setting that holds until when any index that was ever signed may be believed.
_BELIEVED = "believed"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run did, or would do: packages by channel, and each channel's new publication."""

    product: str = ""
    removed: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    arriving: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prunings: dict[str, Pruning] = field(default_factory=dict)
    retired: tuple[Record, ...] = ()
    generations: dict[str, Generation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """One repository, and everything that publishing there needs.

    Without a `signer` it is a dry run, which changes nothing. `url` is the address that customers
    use; None is the one of last time. `validity` is in seconds, as is `now` (None: the clock).
    """

    repository: Path
    signer: Signs | None
    prove: Proof
    report: Report
    url: str | None = None
    validity: int = 14 * 86400
    product: Product | None = None
    force: bool = False
    now: int | None = None
    checkpoint: Checkpoint = nothing
    processes: Processes = field(default_factory=Processes)

    def publish(
        self, files: Sequence[PackageFile], channels: Sequence[str], allowed: frozenset[str]
    ) -> Outcome:
        """Offer packages in channels; what is there already is left alone."""

        def body(opened: Session) -> Outcome:
            product = product_of(files, opened.state.setting("product"))
            arrived = arrivals(opened.state, files, product, allowed)
            return self._offer(opened, product, arrived, channels)

        return self._change(body)

    def promote(self, release: Version, source: str, channels: Sequence[str]) -> Outcome:
        """Offer in other channels what a channel offers already, byte for byte."""

        def body(opened: Session) -> Outcome:
            product = _known_product(opened.state)
            _require_channels(opened.state, (source,))
            arrived = tuple(
                Arrival(file=self._absolute(record), release=record.release, known=record)
                for record in opened.state.members(source)
                if record.release == str(release)
            )
            if not arrived:
                raise UsageError(
                    f"{source} does not offer {release}", "publish its packages there first"
                )
            return self._offer(opened, product, arrived, channels)

        return self._change(body)

    def withdraw(self, release: Version, channels: Sequence[str], reason: str) -> Outcome:
        """Take a release out of channels at once."""

        def body(opened: Session) -> Outcome:
            state = opened.state
            outcome = Outcome(product=_known_product(state))
            _require_channels(state, channels)
            for channel in channels:
                outcome.removed[channel] = withdraw(
                    state,
                    channel,
                    Withdrawal(release=str(release), reason=reason, at=opened.now),
                    product=self.product,
                    force=self.force,
                )
            self._stage(opened, outcome, channels)
            return outcome

        return self._change(body)

    def prune(self, rule: Rule, channels: Sequence[str]) -> Outcome:
        """Take out what a rule does not keep; of all channels where none is named."""

        def body(opened: Session) -> Outcome:
            state = opened.state
            outcome = Outcome(product=_known_product(state))
            _require_channels(state, channels)
            for channel in channels or tuple(state.generations()):
                pruning = plan_pruning(state, channel, rule, now=opened.now, product=self.product)
                outcome.prunings[channel] = pruning
                if pruning.goes:
                    outcome.removed[channel] = take_out(state, channel, pruning, opened.now)
            outcome.retired = self._retire(opened)
            self._stage(opened, outcome, tuple(outcome.removed))
            return outcome

        return self._change(body)

    def refresh(self, channels: Sequence[str], dropped: Sequence[str] = ()) -> Outcome:
        """Sign the indexes anew; of all channels where none is named, or where keys are dropped."""

        def body(opened: Session) -> Outcome:
            state = opened.state
            outcome = Outcome(product=_known_product(state))
            _require_channels(state, channels)
            signing = () if self.signer is None else self.signer.fingerprints
            for key in dropped:
                goes = drop_key(state, key, signing, now=opened.now, force=self.force)
                for channel, records in goes.items():
                    outcome.removed[channel] = (*outcome.removed.get(channel, ()), *records)
            if dropped:
                outcome.retired = self._retire(opened)
            every = tuple(state.generations())
            self._stage(opened, outcome, every if dropped else channels or every)
            return outcome

        return self._change(body)

    def _retire(self, opened: Session) -> tuple[Record, ...]:
        # An index that names a package may be believed until then, whatever is published now.
        due = int(opened.state.setting(_BELIEVED) or 0)
        return retire(opened.state, now=opened.now, due=due)

    def _change(self, body: Callable[[Session], Outcome]) -> Outcome:
        """One decision, all or nothing, and then what it needs to be seen."""
        real = self.signer is not None
        with session(
            self.repository, dry_run=not real, now=self.now, checkpoint=self.checkpoint
        ) as opened:
            with opened.state.transaction(keep=real):
                outcome = body(opened)
            if real:
                opened.show()
            return outcome

    def _offer(
        self,
        opened: Session,
        product: str,
        arrived: Sequence[Arrival],
        channels: Sequence[str],
    ) -> Outcome:
        state, outcome = opened.state, Outcome(product=product)
        for channel in channels:
            self._require_not_withdrawn(state, channel, arrived)
        wanted = {channel: _new(state, channel, arrived) for channel in channels}
        for channel, new in wanted.items():
            outcome.arriving[channel] = tuple(one.file.file_name for one in new)
            if new:
                self._prove(state, channel, new)
        changed = tuple(channel for channel, new in wanted.items() if new)
        if self.signer is None or not changed:
            return outcome
        state.set("product", product)
        fresh = [one for one in arrived if one.known is None]
        records = admit(self._indexes(opened, product), fresh, self.report, self.processes)
        admitted = dict(zip(fresh, records, strict=True))
        for channel in changed:
            for one in wanted[channel]:
                state.join(channel, one.known or admitted[one], opened.now)
        self._stage(opened, outcome, changed)
        return outcome

    def _require_not_withdrawn(
        self, state: State, channel: str, arrived: Sequence[Arrival]
    ) -> None:
        withdrawals = state.withdrawals(channel)
        for release in dict.fromkeys(one.release for one in arrived):
            if release is None or release not in withdrawals:
                continue
            if not self.force:
                raise RefusedError(
                    f"{release} was withdrawn from {channel}: {withdrawals[release].reason}",
                    "publish a new release, or bring this one back with --force",
                )
            state.restore(channel, release)

    def _prove(self, state: State, channel: str, new: Sequence[Arrival]) -> None:
        """Everything that customers of the channel would see, with what is new there."""
        there = [
            self._absolute(record)
            for record in state.members(channel)
            if not record.file.name.endswith("-repository")
        ]
        arriving = [one.file if one.known is None else self._absolute(one.known) for one in new]
        fresh = frozenset(file.sha256 for file in arriving)
        self.prove(channel, (*there, *arriving), fresh)

    def _absolute(self, record: Record) -> PackageFile:
        return replace(record.file, path=str(self.repository / record.file.path))

    def _indexes(self, opened: Session, product: str) -> Indexes:
        state = opened.state
        if self.url is not None:
            state.set("url", self.url)
        url = state.setting("url")
        if url is None:
            raise UsageError(
                "nobody knows the address under which customers will find the repository",
                "give it once with --url",
            )
        assert self.signer is not None  # noqa: S101  (asked for by no dry run)
        assert opened.staging is not None  # noqa: S101
        return Indexes(
            state=state,
            staging=opened.staging,
            signer=self.signer,
            product=product,
            url=url,
            now=opened.now,
            validity=self.validity,
        )

    def _stage(self, opened: Session, outcome: Outcome, channels: Sequence[str]) -> None:
        """Stage the indexes of these channels, and make it certain that they come."""
        if self.signer is None or not channels:
            return
        state = opened.state
        indexes = self._indexes(opened, outcome.product)
        remember_keys(indexes)
        every = tuple(sorted({*state.generations(), *channels}))
        known = client_setup(indexes, every)
        setup = admit_client(indexes, known, self.processes, self.report)
        if setup is not known:
            channels = every
        for number, channel in enumerate(channels, 1):
            self.report(number, len(channels), f"indexing {channel}")
            outcome.generations[channel] = indexes.stage(channel)
        until = [one.valid_until for one in outcome.generations.values()]
        state.set(_BELIEVED, str(max(int(state.setting(_BELIEVED) or 0), *until)))
        stage_keys(indexes)
        stage_page(indexes, setup)
        state.forget_compressed()
        opened.decide()


def _new(state: State, channel: str, arrived: Sequence[Arrival]) -> tuple[Arrival, ...]:
    return tuple(
        one for one in arrived if one.known is None or channel not in state.channels_of(one.known)
    )


def _known_product(state: State) -> str:
    product = state.setting("product")
    if product is None:
        raise UsageError(
            "nothing is published there yet", "name packages, and the repository with --repository"
        )
    return product


def _require_channels(state: State, channels: Sequence[str]) -> None:
    known: Mapping[str, Generation] = state.generations()
    for channel in channels:
        if channel not in known:
            raise UsageError(
                f"there is no channel {channel}", f"there is {' and '.join(known) or 'none yet'}"
            )
