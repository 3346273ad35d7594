"""What packages say of every pair: whether libsolv lets both halves stand on one host."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.verify.halves import Case
from toolchain.verify.libsolv import ask_questions
from toolchain.verify.questions import Question, law_rows

# By server and database release, what each format's packages say.
PairVerdicts = Mapping[tuple[Version, Version], Mapping[Format, bool]]


def pair_verdicts(cases: Iterable[Case]) -> PairVerdicts:
    """Every server package beside every database package; architectures must all agree to fit."""
    found: defaultdict[tuple[Version, Version], dict[Format, bool]] = defaultdict(dict)
    for case in cases:
        questions = [
            Question(row.server, (), at, legal)
            for row in law_rows(case)
            for at, legal in enumerate(row.databases)
        ]
        _, wrong = ask_questions(case, questions)
        other = {disagreement.question for disagreement in wrong}
        for question in questions:
            assert question.database is not None  # noqa: S101  (each is about one)
            pair = (
                case.servers[question.server].release,
                case.databases[question.database].release,
            )
            fits = question.legal != (question in other)
            found[pair][case.format] = found[pair].get(case.format, True) and fits
    return dict(found)
