"""What verification finds, as data: the sentence is composed once, here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """Every way in which packages can be wrong; the value is the word of `--json`."""

    WOULD_INSTALL = "would-install"
    WOULD_BE_REFUSED = "would-be-refused"
    RELATION = "relation"
    EPOCH = "epoch"
    PROVIDES = "provides"
    FOREIGN = "foreign"
    SAME_VERSION = "same-version"
    HANDSHAKE = "handshake"
    PROTECTION = "protection"
    STAND_IN = "stand-in"
    TRANSITION = "transition"
    STATEMENT = "statement"
    SUBJECT = "subject"
    SIGNATURE = "signature"
    BUILDER = "builder"
    IDENTITY = "identity"
    INPUT = "input"
    SBOM = "sbom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `files` are the packages that it is about, `what` the sentence, `relation` the one to blame
    where there is one, `law` and `solver` the two verdicts, `asked` who gave the second.
    `commands` led there, where the finding is about an upgrade.
    """

    kind: Kind
    files: tuple[str, ...]
    what: str
    cure: str
    relation: str = ""
    law: str = ""
    solver: str = ""
    asked: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def __str__(self) -> str:
        blamed = f" ({', '.join(self.asked)})" if self.asked else ""
        others = len(self.commands) - 1
        also = f" and {others} other command{'' if others == 1 else 's'}" if others > 0 else ""
        command = f"'{self.commands[0]}'{also}: " if self.commands else ""
        sentence = f"{command}{self.what}{blamed}; {self.cure}"
        return f"{self.kind.value}: {', '.join(self.files)}: {sentence}"


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, with all who saw it and all commands that lead there."""
    first: dict[Finding, Finding] = {}
    for finding in findings:
        key = replace(finding, asked=(), commands=(), relation="", cure="")
        known = first.get(key)
        if known is not None:
            asked = tuple(dict.fromkeys((*known.asked, *finding.asked)))
            commands = tuple(dict.fromkeys((*known.commands, *finding.commands)))
            finding = replace(known, asked=asked, commands=commands)  # noqa: PLW2901
        first[key] = finding
    return list(first.values())
