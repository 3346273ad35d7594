"""The start-up check that a server package carries: no server starts where it does not fit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from ..core.config import read_shards
from ..core.errors import Exit, Interrupted, RunnerError
from ..core.fleet import Outcome, exit_code
from ..core.output import write_failures, write_json, write_lines
from ..core.stop import Stop, stop_on_signals
from .checking import Checking
from .invocation import Invocation
from .override import active_override, override_file
from .reading import Memory
from .registration import Applicant, NotAccepted
from .release_file import ServerRelease, read_server_release

# What a refresh says where the shard did not count the server any more.
_AGAIN = "registered again: its registration had expired, was retired or was gone"

# What a refresh says where another boot has taken the registration that this one made.
_TWIN = "another host registers under this name too; give each host a name of its own"

_MUST_NOT = "a server runs here that must not"


class StartupCheck:
    """Carries out one command of the start-up check."""

    def __init__(self, asked: Invocation) -> None:
        options = asked.options
        self._options = options
        self._program = asked.program
        self._release = read_server_release(
            Path(getattr(options, "release", None) or asked.release)
        )
        self._shards = read_shards(Path(options.config))
        self._memory = Memory(asked.state)
        self._agent = asked.agent
        self._host = asked.host
        self._stop = Stop()
        self._open = asked.open_shard(asked.connect)

    def run(self) -> int:
        """Run the command that was asked for."""
        command: str = self._options.command
        if command == "register":
            return self._register(self._options.instance)
        if command == "deregister":
            return self._deregister(self._options.instance)
        if command == "status":
            return self._status()
        return self._keep() if self._options.keep else self._answer(self._refresh())

    def _status(self) -> int:
        outcomes = self._checking(self._options.instance).ask_all()
        # Another release is asked for by a package's script, inside of a transaction of rpm's.
        if self._options.release is None:
            from .shard_status import ShardPackages  # noqa: PLC0415 - see commands.py

            packages = ShardPackages.of_host(self._release.product, self._agent)
            outcomes = outcomes if packages is None else tuple(map(packages.beside, outcomes))
        return self._answer(outcomes)

    def _register(self, instance: str) -> int:
        """Ask all shards first, so that a refusal by one leaves no registration with another."""
        checking = self._checking(instance)
        outcomes = checking.ask_all()
        if exit_code(outcomes) is Exit.OK:
            outcomes = checking.check_in_all()
            if exit_code(outcomes) is Exit.OK:
                self._memory.add_instance(instance, self._release)
            else:
                checking.check_out_all([o.shard for o in outcomes if _is_fresh(o)])
        return self._answer(outcomes)

    def _deregister(self, instance: str) -> int:
        self._memory.remove_instance(instance)
        return self._answer(self._checking(instance).check_out_all())

    def _refresh(self) -> Sequence[Outcome]:
        """Register what each instance has run since its start, which may be installed no more."""
        named = self._options.instance
        outcomes: list[Outcome] = []
        for instance in (named,) if named else self._memory.instances():
            try:
                running = self._memory.running(instance)
            except RunnerError as error:
                outcomes += [Outcome(shard.name, None, error) for shard in self._shards]
            else:
                outcomes += self._checking(instance, running).check_in_all()
        return outcomes

    def _keep(self) -> int:
        """Refresh until somebody asks to stop; the registration stays until `deregister`.

        A failure is told once, until it changes; a refusal by a shard each time, since a server
        works there that must not.
        """
        every = min(shard.settings.refresh for shard in self._shards)
        told: list[str] = []
        with stop_on_signals(self._stop, lambda _: None), suppress(Interrupted):
            while True:
                outcomes = self._refresh()
                _write_remarks(sys.stderr, outcomes)
                # Whoever is stopped in the middle has done what it has done, and failed at nothing.
                self._stop.check()
                refused = [o for o in outcomes if isinstance(o.error, NotAccepted)]
                for outcome in refused:
                    sys.stderr.write(f"{_urgent()}{outcome.shard}: {_MUST_NOT}: {outcome.error}\n")
                failed = [o for o in outcomes if o.error is not None and o not in refused]
                sentences = [f"{o.shard}: {o.error}" for o in failed]
                if sentences != told:
                    write_failures(sys.stderr, failed, debug=self._options.debug)
                    told = sentences
                sys.stderr.flush()
                self._stop.wait(every)
        return Exit.OK

    def _checking(self, instance: str, release: ServerRelease | None = None) -> Checking:
        applicant = Applicant(release or self._release, self._host, instance)
        return Checking(applicant, self._shards, self._memory, self._open, self._stop)

    def _answer(self, outcomes: Sequence[Outcome]) -> int:
        code = exit_code(outcomes)
        write_failures(sys.stderr, outcomes, debug=self._options.debug)
        asked = self._options.command == "status"
        overridden = active_override(override_file(self._program)) if asked else None
        if self._options.json:
            heading: dict[str, object] = {
                "product": self._release.product,
                "release": self._release.server.version,
                "command": self._options.command,
                **({"override": str(overridden)} if overridden else {}),
            }
            write_json(sys.stdout, heading, code, outcomes)
        elif self._options.command == "refresh":
            _write_remarks(sys.stdout, outcomes)
        else:
            write_lines(sys.stdout, outcomes)
            if overridden:
                sys.stdout.write(f"the transaction hook is {overridden}\n")
        return code


def _write_remarks(stream: TextIO, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if (remark := _remark(outcome)) is not None:
            stream.write(f"{outcome.shard}: {remark}\n")


def _remark(outcome: Outcome) -> str | None:
    """What a refresh found that the last one had not left so."""
    if outcome.report is not None and outcome.report.data.get("replaced"):
        return _TWIN
    return _AGAIN if _is_fresh(outcome) else None


def _is_fresh(outcome: Outcome) -> bool:
    return outcome.report is not None and bool(outcome.report.data.get("fresh"))


def _urgent() -> str:
    """The mark of an error for the journal (sd-daemon(3)); nothing for a terminal."""
    return "<3>" if "JOURNAL_STREAM" in os.environ else ""
