"""Problems for people: one line each, with the line of the file and a mark under the place."""

from collections.abc import Iterator, Sequence

from toolchain.spec.problem import Problem
from toolchain.spec.wording import counted, printable

_WIDTH = 96


def text_report(problems: Sequence[Problem]) -> str:
    """`file:line:column: message; cure [code]`, the line itself, and other places; "" for none."""
    lines = [line for problem in problems for line in _lines(problem)]
    return "".join(f"{line}\n" for line in [*lines, *_total(problems)])


def _lines(problem: Problem) -> Iterator[str]:
    hint = "hint: " if problem.code.is_hint else ""
    words = f"{problem.origin}: {hint}{problem.message}; {problem.cure} [{problem.code.value}]"
    yield printable(words)
    if problem.excerpt.strip():
        yield from _excerpt(problem)
    for related in problem.related:
        yield printable(f"  {related.origin}: {related.message}")


def _excerpt(problem: Problem) -> Iterator[str]:
    """The part of the line round the place, for lines that are wider than a screen."""
    at = problem.origin.column - 1
    begin = max(0, at - _WIDTH // 2) if len(problem.excerpt) > _WIDTH else 0
    shown = problem.excerpt[begin : begin + _WIDTH].replace("\t", " ")
    margin = f"{problem.origin.line:>6} | "
    yield margin + "".join(letter if letter.isprintable() else "·" for letter in shown).rstrip()
    yield " " * (len(margin) - 2) + "| " + " " * (at - begin) + "^"


def _total(problems: Sequence[Problem]) -> Iterator[str]:
    hints = sum(problem.code.is_hint for problem in problems)
    files = {problem.origin.file for problem in problems if not problem.code.is_hint}
    if files:
        yield f"{counted(len(problems) - hints, 'problem')} in {counted(len(files), 'file')}"
    if hints:
        yield counted(hints, "hint")
