"""Which migrations the git tags of a repository hold; objects are read, and nothing is checked out.

`for-each-ref` and `ls-tree` run no hooks, filters or other programs that a repository may name.
"""

from datetime import date
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.importer.versions import release_named
from toolchain.model.version import Version

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


def read_tags(
    folder: Path, processes: Processes
) -> tuple[tuple[tuple[Version, frozenset[str]], ...], dict[Version, date]]:
    """The files below the folder by tag, oldest release first, and each tag's day.

    Tags that name no release are passed over. Raises ToolError where git can't read them.
    """
    refs = _git(
        folder, processes, "for-each-ref", "--format=%(refname)%09%(creatordate:short)", "refs/tags"
    )
    names: dict[Version, str] = {}
    days: dict[Version, date] = {}
    for line in refs.splitlines():
        ref, _, day = line.partition("\t")
        version = release_named(ref.removeprefix("refs/tags/"))
        if version is not None:
            names[version] = ref
            if day:
                days[version] = date.fromisoformat(day)
    tagged = []
    for version, ref in sorted(names.items()):
        listed = _git(folder, processes, "ls-tree", "-r", "-z", "--name-only", ref, "--", ".")
        tagged.append((version, frozenset(filter(None, listed.split("\0")))))
    return tuple(tagged), days


def _git(folder: Path, processes: Processes, *arguments: str) -> str:
    argv = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments)
    return processes.run(Command(argv=argv, cwd=folder, environment=_ENVIRONMENT))
