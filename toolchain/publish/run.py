"""The whole program of a publication: a deed is decided, proved, staged, made certain and shown."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolchain.edge.process import Processes
from toolchain.edge.undisturbed import undisturbed
from toolchain.errors import UsageError
from toolchain.publish.channel import Indexes, next_serial
from toolchain.publish.deeds.add import Add
from toolchain.publish.deeds.desk import Deed, Desk, Outcome
from toolchain.publish.pool import Report, admit
from toolchain.publish.proof import Proof, prove_channel
from toolchain.publish.seen import stage_seen
from toolchain.publish.session import Session, nothing, session
from toolchain.publish.signing import Signs
from toolchain.publish.staging import Checkpoint
from toolchain.publish.state import State


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
    now: int | None = None
    checkpoint: Checkpoint = nothing
    processes: Processes = field(default_factory=Processes)

    def publish(self, deed: Deed) -> Outcome:
        """One decision, all or nothing, and then what it needs to be seen.

        Raises InterlockError; customers then see what they saw.
        """
        signer = self.signer
        dry_run = signer is None
        with (
            session(
                self.repository,
                dry_run=dry_run,
                begins=isinstance(deed, Add),  # what else is asked of nothing leaves nothing
                now=self.now,
                checkpoint=self.checkpoint,
            ) as opened,
            ExitStack() as certain,
        ):
            with opened.state.transaction(keep=not dry_run):
                outcome = deed.decide(
                    Desk(
                        state=opened.state,
                        repository=self.repository,
                        now=opened.now,
                        signing=() if signer is None else signer.fingerprints,
                    )
                )
                # A clock that is behind shows before anything is proved, in a dry run too.
                for channel in outcome.channels:
                    next_serial(opened.state, channel, opened.now)
                for channel, new in outcome.arriving.items():
                    if new:
                        prove_channel(self.prove, opened.state, self.repository, channel, new)
                if signer is not None and outcome.channels:
                    outcome = self._stage(opened, signer, outcome)
                    opened.decide()
                    # What is decided comes, and is told: to be interrupted it is too late.
                    certain.enter_context(undisturbed(then_end=False))
            if not dry_run:
                opened.show()
            return outcome

    def _stage(self, opened: Session, signer: Signs, outcome: Outcome) -> Outcome:
        """Stage new packages and all indexes that the outcome asks for."""
        assert opened.staging is not None  # noqa: S101  (no dry run comes here)
        opened.state.settings.set("product", outcome.product)
        indexes = Indexes(
            state=opened.state,
            staging=opened.staging,
            signer=signer,
            product=outcome.product,
            url=self._address(opened.state),
            now=opened.now,
            validity=self.validity,
        )
        self._admit(indexes, outcome)
        generations = stage_seen(indexes, outcome.channels, self.processes, self.report)
        return replace(outcome, channels=tuple(generations), generations=generations)

    def _admit(self, indexes: Indexes, outcome: Outcome) -> None:
        """Let channels offer what arrives there, once it is in the pool."""
        arrived = dict.fromkeys(one for new in outcome.arriving.values() for one in new)
        fresh = [one for one in arrived if one.known is None]
        records = admit(indexes, fresh, self.report, self.processes)
        admitted = dict(zip(fresh, records, strict=True))
        for channel, new in outcome.arriving.items():
            for one in new:
                record = one.known or admitted[one]
                indexes.state.channels.join(channel, record, indexes.now)

    def _address(self, state: State) -> str:
        if self.url is not None:
            state.settings.set("url", self.url)
        url = state.settings.get("url")
        if url is None:
            raise UsageError(
                "nobody knows the address under which customers will find the repository",
                "give it once with --url",
            )
        return url
