"""The least number of waves: iterative deepening, with a bound on what is still needed.

Moves are tried in the order of preference, so the first plan that is found within the least number
of waves is the preferred one, and the same for every order of input.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

from toolchain.plan.rollout.search.bound import UNREACHABLE, Bound
from toolchain.plan.rollout.search.fits import Fits
from toolchain.plan.rollout.search.moves import Moves, Step
from toolchain.plan.rollout.search.question import Node, Question
from toolchain.plan.rollout.search.walks import Walks


class Search:
    """Plans for one question.

    `walks` may be those of another search in the same chain to the same target: they remember.
    """

    def __init__(self, question: Question, walks: Walks | None = None) -> None:
        if walks is None:
            walks = Walks(question.chain, Fits(question.chain), question.target)
        self.question = question
        self.start = question.start
        self._bound = Bound(question)
        self.moves = Moves(question, walks, self._bound)
        self._least: dict[Node, int] = {}
        # The waves that are known not to be enough from a node.
        self._vain: dict[Node, int] = {}

    def shortest(self) -> tuple[Step, ...] | None:
        """The preferred plan of the least waves; None when there is no plan at all."""
        least = self.needed(self.start)
        if least >= UNREACHABLE or not self._reachable():
            return None
        while True:
            found = self._within(least)
            if found is not None:
                return found
            least += 1

    def needed(self, node: Node) -> int:
        """The waves that a node needs at the least."""
        if node not in self._least:
            # Those that are where they must be count, too: servers may need them to go further.
            places = [self.question.place(state) for state in node.shards]
            self._least[node] = self._bound.waves(
                node.floor if self.question.servers else None,
                min(2 * release + stage for release, stage in places) if places else None,
            )
        return self._least[node]

    def _within(self, limit: int) -> tuple[Step, ...] | None:
        """The first plan, in the order of preference, of at most so many waves."""
        if self.needed(self.start) == 0:
            return ()
        path: list[Step] = []
        nodes = [self.start]
        open_ = [iter(self.moves.of(self.start))]
        while open_:
            left = limit - len(path) - 1
            for step in open_[-1]:
                needed = self.needed(step.node)
                if needed > left or self._vain.get(step.node, -1) >= left:
                    continue
                path.append(step)
                if needed == 0:
                    return tuple(path)
                nodes.append(step.node)
                open_.append(iter(self.moves.of(step.node)))
                break
            else:
                open_.pop()
                self._vain[nodes.pop()] = left + 1
                if path:
                    path.pop()
        return None

    def _reachable(self) -> bool:
        """Whether any way leads to the target; deepening would not end where none does."""
        return any(self.needed(node) == 0 for node in self._explore())

    def _explore(self) -> Iterator[Node]:
        """Every node that legal waves lead to, the promising ones first."""
        seen = {self.start}
        waiting = [(self.needed(self.start), 0, self.start)]
        while waiting:
            _, _, node = heappop(waiting)
            yield node
            for step in self.moves.of(node):
                if step.node not in seen:
                    seen.add(step.node)
                    heappush(waiting, (self.needed(step.node), len(seen), step.node))
