"""Maintainer scripts that a person has to read: those that hold more than debhelper's own parts."""

import re
from collections.abc import Mapping

from toolchain.importer.facts import Facts
from toolchain.importer.pairing import Pair

_GENERATED = re.compile(
    r"^# Automatically added by dh_.*?^# End automatically added section\n?",
    re.MULTILINE | re.DOTALL,
)
_NOTHING = re.compile(r"(?:#.*|set -eu?|exit 0|:)?\s*")
_NAME = re.compile(r"[A-Za-z0-9.-]+")


def own_scripts(pair: Pair | None) -> Mapping[str, str]:
    """The scripts of a release's packages by file name, without what packaging tools added."""
    found = {}
    for facts in (*pair.servers, *pair.databases) if pair is not None else ():
        for name, text in facts.scripts.items():
            own = _GENERATED.sub("", text)
            if not all(_NOTHING.fullmatch(line.strip()) for line in own.splitlines()):
                found[_file(facts, name)] = own.strip("\n") + "\n"
    return found


def _file(facts: Facts, name: str) -> str:
    words = [facts.name, facts.format.value if facts.format else "", name.lstrip("%")]
    return ".".join("".join(_NAME.findall(word)) for word in words if word)
