"""YAML text to a located tree: no aliases, no tags, no guessing of types, and every problem found.

Scalars stay text. What a value means is decided by the format that it is read for, so `no`,
`12:30:45` and `0o17` stay strings and `1.10` never becomes `1.1`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import yaml

from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.located.node import Items, Mark, Node, Scalar, Table
from toolchain.spec.located.syntax import syntax_problem
from toolchain.spec.located.text import control_in
from toolchain.spec.problem import Complaint, Place, Problem, Related
from toolchain.spec.wording import show

DEPTH_LIMIT = 50
NODE_LIMIT = 50_000
PROBLEM_LIMIT = 100


class Words(NamedTuple):
    """Cures that depend on what a file is for: one that holds nothing, and an odd character."""

    empty: str
    control: str


SPEC_WORDS = Words(
    empty="write a spec, or begin with 'interlock init'",
    control="take it out: it would end up in package metadata",
)

# libyaml's binding is 15 times as fast; the events are the same.
FAST_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):  # noqa: N818 - ends the reading; the problem is already noted
    pass


class _Reader:
    """Composes nodes from YAML's events and notes what is not allowed on the way."""

    def __init__(
        self,
        file: str,
        events: Iterator[yaml.Event],
        problems: list[Problem],
        limit: int,
        words: Words,
    ) -> None:
        self._file = file
        self._limit = limit
        self._words = words
        self._events = events
        self._problems = problems
        self._nodes = 0

    def document(self) -> Node | None:
        """The one document of the stream."""
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), depth=1)
        next(self._events)  # the document's end
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._complain(
                self._mark(following),
                Code.YAML_DOCUMENTS,
                "a second YAML document begins here",
                "keep one document in a file and delete the '---'",
            )
        return root

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        if mark is None:
            return Mark(self._file, 1, 1)
        return Mark(self._file, mark.line + 1, mark.column + 1)

    def _complain(self, mark: Mark, code: Code, message: str, cure: str, *related: Related) -> None:
        if len(self._problems) > PROBLEM_LIMIT:
            raise _Stop
        self._problems.append(Complaint(code, message, cure).at(Place(mark.origin), *related))

    def _node(self, event: yaml.Event, depth: int, mark: Mark | None = None) -> Node:
        mark = mark or self._mark(event)
        self._count(mark, depth)
        if type(event) is yaml.ScalarEvent and event.anchor is None and not event.tag:
            return self._scalar(event, mark)  # nearly every node
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._complain(
                mark,
                Code.YAML_ALIAS,
                f"the anchor or alias {show(event.anchor)} is not allowed",
                "write the value out where it is used",
            )
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            self._complain(
                mark,
                Code.YAML_TAG,
                f"the tag {show(event.tag)} is not allowed",
                "delete it; quotes make a value a string",
            )
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, mark)
            case yaml.SequenceStartEvent():
                return Items(tuple(self._items(depth)), mark)
            case yaml.MappingStartEvent():
                return self._table(mark, depth)
            case _:  # an alias, complained about above
                return Scalar("", plain=True, mark=mark)

    def _count(self, mark: Mark, depth: int) -> None:
        self._nodes += 1
        if depth > DEPTH_LIMIT:
            self._complain(
                mark,
                Code.YAML_DEPTH,
                f"values are nested more than {DEPTH_LIMIT} deep",
                "no spec needs that; take the inner levels out",
            )
            raise _Stop
        if self._nodes > self._limit:
            self._complain(
                mark,
                Code.FILE_SIZE,
                f"the file holds more than {self._limit} values",
                "no spec needs that; a directory can stand for the files in it",
            )
            raise _Stop

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        control = control_in(event.value)
        if control is not None:
            self._complain(
                mark,
                Code.CONTROL_CHARACTER,
                f"the value holds the control character {control}",
                self._words.control,
            )
        return Scalar(event.value, plain=event.implicit[0], mark=mark)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _table(self, mark: Mark, depth: int) -> Table:
        nodes: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = self._mark(event)
            key = self._key(self._node(event, depth + 1, place), place)
            value = self._node(next(self._events), depth + 1)
            if key is None:
                continue
            if key in keys:
                self._complain(
                    place,
                    Code.DUPLICATE_KEY,
                    f"the key {show(key)} stands here and on line {keys[key].line}",
                    "keep one of the two",
                    Related(origin=keys[key].origin, message="the same key"),
                )
                continue
            nodes[key] = value
            keys[key] = place
        return Table(nodes, keys, mark)

    def _key(self, node: Node, mark: Mark) -> str | None:
        """The key's text; None, after a complaint, when it is nothing that a key can be."""
        if isinstance(node, Scalar) and node.text == "<<" and node.plain:
            self._complain(
                mark,
                Code.YAML_ALIAS,
                "the merge key '<<' is not allowed",
                "write the keys out where they are used",
            )
            return None
        if isinstance(node, Scalar) and node.text and "\n" not in node.text:
            return node.text
        self._complain(
            mark,
            Code.YAML_KEY,
            "a key must be one line of plain text",
            "write 'key: value'",
        )
        return None


def read_yaml(
    file: str,
    text: str,
    *,
    loader: type = FAST_LOADER,
    limit: int = NODE_LIMIT,
    words: Words = SPEC_WORDS,
) -> tuple[Node | None, list[Problem]]:
    """The document of a file, as far as it could be read, and every problem on the way.

    The node is None when the text is not YAML, holds nothing, or had to be given up, as when it
    holds more values than the limit.
    """
    problems: list[Problem] = []
    try:
        node = _Reader(
            file, iter(yaml.parse(text, Loader=loader)), problems, limit, words
        ).document()
    except yaml.YAMLError as error:
        return None, [*problems, syntax_problem(file, text, error)]
    except _Stop:
        return None, problems
    if node is None or (isinstance(node, Scalar) and node.plain and not node.text):
        empty = Complaint(
            Code.EMPTY_FILE,
            "the file is empty",
            words.empty,
        )
        return None, [*problems, empty.at(Place(Origin(file=file)))]
    return node, problems
