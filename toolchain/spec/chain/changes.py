"""Whether releases follow from one another: schema numbers, and the life of each change."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import pairwise

from toolchain.model.change import Phase
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Complaint, Problem, Related
from toolchain.spec.wording import show

Steps = dict[tuple[str, Phase], tuple[Facts, PlacedStep]]


def check_chain(releases: Sequence[Facts]) -> Iterator[Problem]:
    """The problems between releases, which come in version order and with distinct versions."""
    for earlier, later in pairwise(releases):
        yield from _schema(earlier, later)
    steps, repeated = _index(releases)
    yield from repeated
    changes = sorted({change for change, phase in steps if phase is Phase.EXPAND})
    for (change, phase), (release, placed) in steps.items():
        expand = steps.get((change, Phase.EXPAND))
        if phase is not Phase.EXPAND:
            yield from _needs_expand(release, placed, expand, changes)
        contract = steps.get((change, Phase.CONTRACT))
        if phase is Phase.MIGRATE and contract is not None:
            yield from _before_contract(release, placed, *contract)


def _schema(earlier: Facts, later: Facts) -> Iterator[Problem]:
    """A schema number belongs to one set of steps: it rises with them, and only with them."""
    before, after = earlier.schema, later.schema
    related = Related(
        origin=earlier.schema_place.origin, message=f"{earlier.version} has schema {before}"
    )
    if after < before:
        yield Complaint(
            Code.SCHEMA_BACKWARDS,
            f"the schema version goes back from {before} in {earlier.version} to {after}",
            f"write {before + 1 if later.steps else before}, and raise the releases after it",
        ).at(later.schema_place, related)
    elif after == before and later.steps:
        yield Complaint(
            Code.SCHEMA_KEPT,
            f"{later.version} has schema steps and keeps the schema version {before}"
            f" of {earlier.version}",
            f"write {before + 1}: servers tell schemas apart by this number alone",
        ).at(later.schema_place, related)
    elif after > before and not later.steps:
        yield Complaint(
            Code.SCHEMA_RAISED,
            f"{later.version} raises the schema version from {before} to {after} without a step",
            f"write {before}, or add the steps",
        ).at(later.schema_place, related)


def _index(releases: Sequence[Facts]) -> tuple[Steps, list[Problem]]:
    """Each step of the product by change and phase, and the problems of those that stand twice."""
    steps: Steps = {}
    problems = []
    for release in releases:
        for placed in release.steps:
            key = placed.step.change, placed.step.phase
            if key not in steps:
                steps[key] = release, placed
                continue
            _, first = steps[key]
            change, phase = placed.step.change, placed.step.phase.value
            problems.append(
                Complaint(
                    Code.DUPLICATE_STEP,
                    f"the change {change} has its {phase} here and at {first.place.origin}",
                    "keep one, or give the other change a name of its own",
                ).at(placed.place, Related(origin=first.place.origin, message="the other step"))
            )
    return steps, problems


def _needs_expand(
    release: Facts,
    placed: PlacedStep,
    expand: tuple[Facts, PlacedStep] | None,
    changes: Sequence[str],
) -> Iterator[Problem]:
    change, phase = placed.step.change, placed.step.phase
    code = Code.CONTRACT_WITHOUT_EXPAND if phase is Phase.CONTRACT else Code.MIGRATE_WITHOUT_EXPAND
    if expand is None:
        nearest = difflib.get_close_matches(change, changes, n=1)
        yield Complaint(
            code,
            f"no release expands the change {show(change)} that this {phase.value} is about",
            f"write {nearest[0]}" if nearest else "add its expand, or mend the change's name",
        ).at(placed.place)
        return
    expanded, first = expand
    related = Related(origin=first.place.origin, message=f"expanded by {expanded.version}")
    if expanded.version > release.version:
        yield Complaint(
            code,
            f"the change {change} is expanded later, by {expanded.version}",
            f"move this {phase.value} to a release after it",
        ).at(placed.place, related)
    elif expanded.version == release.version and phase is Phase.CONTRACT:
        yield Complaint(
            Code.CONTRACT_TOO_EARLY,
            f"{release.version} expands and contracts the change {change}, so servers of the "
            "release before it would lose their form at once",
            "move the contract to the next release",
        ).at(placed.place, related)


def _before_contract(
    release: Facts, placed: PlacedStep, contracted: Facts, contract: PlacedStep
) -> Iterator[Problem]:
    if release.version > contracted.version:
        yield Complaint(
            Code.MIGRATE_TOO_LATE,
            f"the change {placed.step.change} is contracted by {contracted.version}, before its "
            "data is moved here",
            "move the contract to this release or a later one",
        ).at(
            placed.place,
            Related(origin=contract.place.origin, message=f"contracted by {contracted.version}"),
        )
