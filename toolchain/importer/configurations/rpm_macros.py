"""Macros of an rpm spec by their plain text; nothing that rpm would run is run."""

import re
from collections.abc import Mapping

# What rpm knows by itself, as its platform's macros say it on Fedora and RHEL.
MACROS = {
    "_prefix": "/usr", "_exec_prefix": "/usr", "_usr": "/usr", "_bindir": "/usr/bin",
    "_sbindir": "/usr/sbin", "_libexecdir": "/usr/libexec", "_datadir": "/usr/share",
    "_datarootdir": "/usr/share", "_mandir": "/usr/share/man", "_docdir": "/usr/share/doc",
    "_licensedir": "/usr/share/licenses", "_localedir": "/usr/share/locale",
    "_includedir": "/usr/include", "_sysconfdir": "/etc", "_initddir": "/etc/rc.d/init.d",
    "_initrddir": "/etc/rc.d/init.d", "_localstatedir": "/var", "_var": "/var",
    "_sharedstatedir": "/var/lib", "_rundir": "/run", "_libdir": "/usr/lib64", "_lib": "lib64",
    "_unitdir": "/usr/lib/systemd/system", "_sysusersdir": "/usr/lib/sysusers.d",
    "_tmpfilesdir": "/usr/lib/tmpfiles.d", "_presetdir": "/usr/lib/systemd/system-preset",
    "dist": "",
}  # fmt: skip
_REFERENCE = re.compile(r"%\{([?!]*)([A-Za-z_]\w*)(?::([^{}]*))?\}|%([A-Za-z_]\w*)")
_CHOICE = re.compile(r"%bcond(_with|_without)?\s+(\w+)\s*(\S*)")
_CHOSEN = re.compile(r"%\{(with|without)\s+(\w+)\}")
_ASKED = re.compile(r"%\{[!?]*(\w+)[:}]")
_DEEPEST = 5
_LONGEST = 10_000


def expanded(text: str, macros: Mapping[str, str]) -> str:
    """Plain macros by their text; what is unknown stays, and nothing runs."""

    def value(match: re.Match[str]) -> str:
        flags, name, given = match[1] or "", match[2] or match[4], match[3]
        if "!" in flags:
            return "" if name in macros else given or ""
        if "?" in flags:
            return (given if given is not None else macros[name]) if name in macros else ""
        return macros.get(name, match[0])

    for _ in range(_DEEPEST):
        changed = _REFERENCE.sub(value, text)
        if changed == text or len(changed) > _LONGEST:
            break
        text = changed
    return text


def choose(line: str, macros: dict[str, str]) -> bool:
    """Whether a line is a %bcond; what it says of an option counts unless --define said it."""
    choice = _CHOICE.match(line)
    if choice is None:
        return False
    kind, name, value = choice.groups()
    by_default = value not in ("0", "") if kind is None else kind == "_without"
    said = "1" if f"with_{name}" in macros else "0" if f"without_{name}" in macros else ""
    macros.setdefault(f"with {name}", said or str(int(by_default)))
    return True


def weighable(text: str, macros: Mapping[str, str]) -> str:
    """A condition with its macros' values; raises ValueError where one has none."""

    def chosen(match: re.Match[str]) -> str:
        said = macros.get(f"with {match[2]}")
        if said is None:
            raise ValueError(match[0])
        return said if match[1] == "with" else str(1 - int(said))

    text = _CHOSEN.sub(chosen, text)
    if unknown(text, macros):
        raise ValueError(text)
    return expanded(text, macros)


def unknown(text: str, macros: Mapping[str, str]) -> list[str]:
    """The macros that a condition asks for and nobody has said."""
    return [name for name in dict.fromkeys(_ASKED.findall(text)) if name not in macros]
