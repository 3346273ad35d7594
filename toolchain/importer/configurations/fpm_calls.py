"""The calls of fpm in a shell script, a Makefile or an options file: their words, nothing run."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.configurations.variables import filled
from toolchain.importer.texts import read_text, refuse

_CALL = re.compile(
    r"^(?:[^#\n]*?(?:&&|;))??[ \t]*[@-]*(?:(?:bundle[ \t]+)?exec[ \t]+|sudo[ \t]+)?"
    r"(?:[\w./~${}-]*/)?fpm[ \t]+(.*)$",
    re.MULTILINE,
)
_SHELL_VALUE = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=[\"']?([\w.:/~+${}-]*)[\"']?[ \t]*$"
)
_MAKE_VALUE = re.compile(r"(?m)^(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[:?]{0,2}=([^\n#]*)")
_MAKE_TARGET = re.compile(r"(?m)^([\w./-]+)(?:[ \t]+[\w./-]+)*[ \t]*:(?!=)")
_MAKE_VARIABLE = re.compile(r"\$\(([A-Za-z_]\w*)\)")
_COMMAND = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`")
_MAKEFILES = frozenset({"Makefile", "makefile", "GNUmakefile"})
_ENDS = frozenset({"|", "&&", "||", ";", "&", ">"})
# Stands for what a command of the shell would have printed; no text file holds this character.
_UNKNOWN = "\x1a"
_DEEPEST = 4  # variables that are made of variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: its words as they are written, the line, and the variables that are known there.

    `given` are the values of --define alone, `values` those of the script's own lines as well.
    """

    path: Path
    line: int
    words: tuple[str, ...]
    values: Mapping[str, str]
    given: Mapping[str, str]

    @property
    def where(self) -> str:
        """The place for people."""
        return f"{self.path}:{self.line}"

    def tells(self, word: str) -> bool:
        """Whether a word holds no command of the shell, whose result only a run would tell."""
        return _UNKNOWN not in word

    def filled(self, word: str) -> str:
        """A word with the values of its variables; raises UsageError where one is not known."""
        text = word
        for _ in range(_DEEPEST):
            text = filled(text, self.values, str(self.path), self.line)
        if _UNKNOWN in text:
            raise self.refused(
                "the command line holds a command of the shell, which is not run",
                "write its result there",
            )
        return text

    def refused(self, what: str, cure: str) -> UsageError:
        """The error about this call."""
        return refuse(str(self.path), self.line, what, cure)


def calls_of(path: Path, values: Mapping[str, str]) -> Iterator[Call]:
    """Every call, in order; raises UsageError where there is none, or one can't be split."""
    written = read_text(path, 1 << 20)
    # What is joined has the length of what it stands for, so that a place is one in both.
    text = written.replace("\\\n", "  ")
    if path.suffix == ".fpm" or path.name == ".fpm":
        yield from _calls(path, 1, text, {}, values)
        return
    made = path.name in _MAKEFILES or path.suffix == ".mk"
    found = (_MAKE_VALUE if made else _SHELL_VALUE).findall(text)
    # What a command would print has to be said: the variable counts as one without a value.
    known = {
        name: shell
        for name, value in found
        if "$(" not in (shell := _as_shell(value.strip(), made=made))
    }
    calls = list(_CALL.finditer(text))
    if not calls:
        raise UsageError(
            f"{path} holds no command line of fpm",
            "name a script with one, an options file NAME.fpm, nfpm.yaml, a .spec or debian/",
        )
    for match in calls:
        line = written.count("\n", 0, match.start()) + 1
        words = match[1]
        if made:
            targets = _MAKE_TARGET.findall(text, 0, match.start())
            words = words.replace("$@", targets[-1] if targets else "")
        yield from _calls(path, line, _as_shell(words, made=made), known, values)


def _as_shell(text: str, *, made: bool) -> str:
    """A text of make as its shell would see it: `$(NAME)` is a variable, `$$` a dollar."""
    return _MAKE_VARIABLE.sub(r"${\1}", text).replace("$$", "$") if made else text


def _calls(
    path: Path, line: int, text: str, known: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Call]:
    """The call whose words a text begins with, and those of fpm behind it on the same line."""
    try:
        words = shlex.split(_COMMAND.sub(_UNKNOWN, text), comments=True)
    except ValueError as error:
        raise refuse(str(path), line, f"the command line is no whole: {error}", "mend it") from None
    ends = [*(at for at, word in enumerate(words) if word in _ENDS), len(words)]
    calls = [words[: ends[0]]]
    for begin, end in pairwise(ends):
        if words[begin + 1 : begin + 2] == ["fpm"]:
            calls.append(words[begin + 2 : end])
    values = {**known, **given}
    for own in calls:
        yield Call(path=path, line=line, words=tuple(own), values=values, given=given)
