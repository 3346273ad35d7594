"""The operator's emergency override of the transaction hook: for a while, with a reason, logged.

It loosens neither the solver nor the check at a server's start, and it ends with the boot.
"""

from __future__ import annotations

import os
import pwd
import re
import syslog
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.duration import spell_duration
from ..core.ending import run_command
from ..core.errors import ConfigurationError, Exit, UsageError, one_line
from .arguments import server_parser
from .whole_file import write_whole

_NOBODY = 4294967295


@dataclass(frozen=True)
class Override:
    """Until when (seconds since 1970), by whom, and why transactions are let through."""

    until: int
    who: str
    reason: str

    def __str__(self) -> str:
        until = time.strftime("%F %T", time.localtime(self.until))
        return f"overridden by {self.who} until {until}: {self.reason}"


def override_file(program: str) -> Path:
    """Where it stands; the scripts that ask on a hook's behalf read the same three lines."""
    return Path("/run") / program / "override"


def active_override(file: Path) -> Override | None:
    """The override that holds at the moment, None where there is none or it has ended."""
    try:
        with file.open(encoding="utf-8") as stream:
            if os.fstat(stream.fileno()).st_uid not in (0, os.geteuid()):
                return None
            until, who, reason = stream.read().splitlines()[:3]
        found = Override(int(until), who, reason)
    except (OSError, ValueError):
        return None
    return found if time.time() < found.until else None


def main(
    *,
    program: str,
    config: str,
    arguments: Sequence[str] | None = None,
    file: Path | None = None,
    log: Callable[[str], None] | None = None,
) -> int:
    """Run `P-server override` and return its exit code; needs neither a shard nor psycopg2."""
    file = file or override_file(program)
    log = log or _journal(program)

    def work() -> int:
        options = server_parser(program, config).parse_args(arguments)
        if options.active:
            return Exit.OK if active_override(file) else Exit.REFUSED
        if os.geteuid() != 0:
            raise UsageError("only root overrides the hook", "run it with sudo")
        if options.end:
            _end(file, log)
            return Exit.OK
        if options.reason is None:
            raise UsageError("an override has a reason", "say it with --reason TEXT")
        made = Override(int(time.time() + options.duration), _who(), options.reason)
        _write(file, made)
        log(f"the hook is {made}")
        print(  # noqa: T201 - the answer
            f"for {spell_duration(options.duration)} the hook lets transactions through; a server"
            " that does not fit its shards still does not start"
        )
        return Exit.OK

    return run_command(program, arguments, work)


def _end(file: Path, log: Callable[[str], None]) -> None:
    before = active_override(file)
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot remove {file}: {error.strerror}") from error
    if before is not None:
        log(f"{_who()} ended the override by {before.who}")


def _write(file: Path, override: Override) -> None:
    try:
        file.parent.mkdir(mode=0o755, exist_ok=True)
        text = f"{override.until}\n{override.who}\n{override.reason}\n"
        write_whole(file, text, mode=0o644)
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from error


def _who() -> str:
    """The person behind root: sudo's word, else the user who logged in, else root."""
    said = os.environ.get("SUDO_USER", "")
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}", said):
        return said
    try:
        number = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
        return "root" if number == _NOBODY else pwd.getpwuid(number).pw_name
    except (OSError, ValueError, KeyError):
        return "root"


def _journal(program: str) -> Callable[[str], None]:
    def log(text: str) -> None:
        syslog.openlog(program, 0, syslog.LOG_DAEMON)
        syslog.syslog(syslog.LOG_WARNING, one_line(text))

    return log
