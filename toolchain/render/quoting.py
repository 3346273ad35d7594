"""Text quoted for each language that Interlock writes, so that text stays text."""

import re
import shlex


def shell_word(text: str) -> str:
    """One word for a POSIX shell."""
    return shlex.quote(text)


def rpm_text(text: str) -> str:
    """Text for a spec file's tag or body: `%` starts a macro, and some macros run commands."""
    return text.replace("%", "%%")


def rpm_path(path: str) -> str:
    """A path for a `%files` list, literal although rpm globs it (rpm 4.18, rpmglob).

    rpm takes no backslash escapes; a class of one character is literal inside quotes. A quote
    itself can't be written inside quotes, so it becomes `?`; the built package's list is
    compared with the plan, which catches a pattern that matched more.
    """
    return '"' + re.sub(r"[\[*?]", r"[\g<0>]", rpm_text(path)).replace('"', "?") + '"'


def unit_text(text: str) -> str:
    """Free text in a unit file: `%` starts a specifier (systemd.unit(5))."""
    return text.replace("%", "%%")


def environment_word(text: str) -> str:
    """One assignment of Environment=, where `$` means itself (systemd.exec(5))."""
    return '"' + unit_text(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def command_word(text: str) -> str:
    """One word of ExecStart=, where `$` starts a variable (systemd.service(5), "Command lines")."""
    plain = re.fullmatch(r"[A-Za-z0-9@+=:,./_-]+", text)
    return text if plain else environment_word(text).replace("$", "$$")


def sysusers_text(text: str) -> str:
    """A quoted field of sysusers.d(5), where `%` starts a specifier."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def roff_text(text: str) -> str:
    """Text of a manual page, where backslashes, hyphens and dots at a line's start mean more."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)


def deb_description(text: str) -> str:
    """The extended description of a control file: lines indented, empty ones a dot (§5.6.13)."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join(f" {line}" if line else " ." for line in lines)
