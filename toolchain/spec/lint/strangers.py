"""A contract removes the old form of its change, and nothing that the change never had to do with.

The change's own SQL is what it has to do with: a thing is known when its name, or that of its
table, stands in an expand or migrate of the change, or that of the thing that takes its place:
`fetch_job` and `fetch_job_v2` are one name.
"""

import re
from collections.abc import Iterable, Iterator

from toolchain.spec.codes import Code
from toolchain.spec.lint.made import Thing, removed
from toolchain.spec.lint.scope import Scope
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")
_EDITION = re.compile(r"_(?:v?\d+|new|next|old|temp|tmp)\Z")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of SQL texts outside comments; those of function bodies too."""
    return frozenset(
        form
        for text in texts
        for word in _WORD.findall(_COMMENT.sub(" ", text.lower()))
        for form in (word, _EDITION.sub("", word))
    )


def stranger_complaints(
    statement: Statement, scope: Scope, words: frozenset[str]
) -> Iterator[Complaint]:
    """What a contract drops although `words`, those of its change, do not name it."""
    for thing in removed(statement):
        if not _known(thing, scope, words) and not scope.has(thing):
            yield Complaint(
                Code.LINT_CONTRACT_STRANGER,
                f"the contract of {scope.step.change} drops {thing.shown}, which no expand or"
                f" migrate of {scope.step.change} has touched",
                "drop it in the contract of the change that replaced it, so that the gate asks"
                " whether a server still needs it",
            )


def _known(thing: Thing, scope: Scope, words: frozenset[str]) -> bool:
    names = [thing.name.name]
    if thing.table is not None:
        names.append(thing.table.name)
    if thing.kind == "index" and thing.name in scope.catalogue.indexes:
        names.append(scope.catalogue.indexes[thing.name].name)
    names.append(_EDITION.sub("", thing.name.name))
    return any(set(_WORD.findall(name.lower())) <= words for name in names)
