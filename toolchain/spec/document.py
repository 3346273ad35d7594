"""One spec file while it is being checked: its tree, its problems, and which parts are sound."""

from toolchain.model.origin import Origin
from toolchain.spec.located.node import Mark, Node, Path, Table, node_at, shown_path
from toolchain.spec.problem import Complaint, Place, Problem, Related


class Document:
    """A file's tree and the problems found in it so far.

    A part without problems is sound: it has the shape that the schema gives it, so it can be read
    without further questions. Other parts are left alone, so that one mistake is told once.
    """

    def __init__(self, name: str, shown: str, root: Node | None, problems: list[Problem]) -> None:
        self.name = name
        self.shown = shown
        self.root = root
        self.problems = problems
        self.hints: list[Problem] = []
        self._broken: list[Path] = [()] if root is None else []

    @property
    def top(self) -> Table:
        """The document as a mapping; an empty one when it is none."""
        return self.root if isinstance(self.root, Table) else self._nothing

    @property
    def _nothing(self) -> Table:
        return Table({}, {}, Mark(self.shown, 1, 1) if self.root is None else self.root.mark)

    def section(self, key: str) -> Table:
        """A mapping at the top; an empty one when there is none."""
        section = self.top.nodes.get(key)
        return section if isinstance(section, Table) else self._nothing

    def place(self, path: Path) -> Place:
        """Where the value at a path stands, or the deepest value on the way to it."""
        origin = Origin(file=self.shown) if self.root is None else node_at(self.root, path).origin
        return Place(origin, shown_path(path))

    def key_place(self, path: Path) -> Place:
        """Where the last key of a path stands."""
        *above, key = path
        table = None if self.root is None else node_at(self.root, above)
        if isinstance(table, Table) and key in table.keys:
            return Place(table.keys[str(key)].origin, shown_path(path))
        return self.place(path)

    def complain(
        self, complaint: Complaint, path: Path, *related: Related, at_key: bool = False
    ) -> None:
        """Note a problem; what stands at its path is not sound any more."""
        place = self.key_place(path) if at_key else self.place(path)
        problem = complaint.at(place, *related)
        if problem not in self.problems:
            self.problems.append(problem)
        self.doubt(path)

    def advise(self, complaint: Complaint, path: Path) -> None:
        """Note a hint: what stands at its path is as sound as before."""
        self.hints.append(complaint.at(self.place(path)))

    def doubt(self, path: Path) -> None:
        """Take a part for not sound without a problem of its own."""
        self._broken.append(path)

    def doubted(self, path: Path) -> bool:
        """Whether this very part is known not to be sound."""
        return path in self._broken

    def sound(self, *paths: Path) -> bool:
        """Whether nothing is wrong at, above or below any of these paths."""
        return not any(_touches(broken, path) for broken in self._broken for path in paths or ((),))


def _touches(one: Path, other: Path) -> bool:
    """Whether one path is the other or leads to it."""
    common = min(len(one), len(other))
    return one[:common] == other[:common]
