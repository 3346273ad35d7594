"""One thing that is wrong in a product's files: where, what, and what to do about it."""

from dataclasses import dataclass

from toolchain.errors import SpecError
from toolchain.model.origin import Origin
from toolchain.spec.codes import Code
from toolchain.spec.wording import printable


@dataclass(frozen=True, slots=True)
class Place:
    """A value's place in its file, and its path in the document: `schema.expand[0].sql`."""

    origin: Origin
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that a problem is about, with a word on what stands there."""

    origin: Origin
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a user must change before the product can be built.

    `path` is the place in the document (`schema.expand[0].sql`; empty for a whole file), `message`
    and `cure` are clauses without a full stop, `excerpt` is the line of the file that `origin`
    points to, as it stands there.
    """

    code: Code
    origin: Origin
    message: str
    cure: str
    path: str = ""
    related: tuple[Related, ...] = ()
    excerpt: str = ""

    def __post_init__(self) -> None:
        if not self.cure:
            raise ValueError(f"{self.code.value}: a problem without a cure helps nobody")

    def __str__(self) -> str:
        return f"{printable(str(self.origin))}: {self.message}; {self.cure}"


class Complaint(Exception):  # noqa: N818 - a verdict on one value, not a failure of the program
    """What is wrong with a single value, before it is known where the value stands."""

    def __init__(self, code: Code, message: str, cure: str) -> None:
        super().__init__(message)
        self.code = code
        # Both may quote what a file, a tool or the environment says.
        self.message = printable(message)
        self.cure = printable(cure)

    def at(self, place: Place, *related: Related) -> Problem:
        """The problem that this complaint is once its place is known."""
        return Problem(
            code=self.code,
            origin=place.origin,
            path=place.path,
            message=self.message,
            cure=self.cure,
            related=related,
        )


def spec_error(shown: str, problems: tuple[Problem, ...]) -> SpecError:
    """The error that carries every problem of a product to the command line."""
    if len(problems) == 1:
        return SpecError(str(problems[0]), problems=problems)
    return SpecError(
        f"{printable(shown)} has {len(problems)} problems",
        f"the first is {problems[0]}",
        problems=problems,
    )
