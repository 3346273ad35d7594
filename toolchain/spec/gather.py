"""The problems of a run as a report wants them: once each, in order, with their lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from toolchain.spec.codes import Code
from toolchain.spec.located.read_yaml import PROBLEM_LIMIT
from toolchain.spec.problem import Complaint, Place, Problem


def _order(problem: Problem) -> tuple[object, ...]:
    return problem.origin, problem.path, problem.code.value, problem.message


def gathered(problems: Iterable[Problem], texts: Mapping[str, str]) -> tuple[Problem, ...]:
    """The problems by file, line and column, at most a hundred a file, each with its excerpt.

    `texts` holds the text of every file that was read, by the name under which it is shown.
    """
    told: list[Problem] = []
    ordered = sorted(dict.fromkeys(problems), key=_order)
    for file, of_file in groupby(ordered, key=lambda problem: problem.origin.file):
        lines = texts.get(file, "").split("\n")
        told.extend(_with_excerpt(problem, lines) for problem in _limited(list(of_file)))
    return tuple(told)


def _limited(problems: list[Problem]) -> Iterator[Problem]:
    yield from problems[:PROBLEM_LIMIT]
    if len(problems) > PROBLEM_LIMIT:
        yield Complaint(
            Code.TOO_MANY,
            f"the file has more than {PROBLEM_LIMIT} problems, and the rest is not listed",
            "mend these and check again",
        ).at(Place(problems[PROBLEM_LIMIT].origin))


def _with_excerpt(problem: Problem, lines: list[str]) -> Problem:
    number = problem.origin.line
    return replace(problem, excerpt=lines[number - 1]) if number <= len(lines) else problem
