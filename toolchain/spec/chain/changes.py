"""Whether releases follow from one another: schema numbers, and the life of each change.

Each release is looked at with the releases that it was built upon, so that a hotfix and the main
line may carry one step, each for its own customers.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from toolchain.model.change import Phase
from toolchain.model.history import hotfixes, parents
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Complaint, Problem, Related
from toolchain.spec.wording import show

_Key = tuple[str, Phase]
_Carried = tuple[Facts, PlacedStep]


def check_chain(releases: Sequence[Facts]) -> Iterator[Problem]:
    """The problems between releases, which come in version order and with distinct versions."""
    above, branched = parents(releases), hotfixes(releases)
    carried: list[dict[_Key, _Carried]] = []
    everywhere: dict[_Key, _Carried] = {}
    for at, release in enumerate(releases):
        parent = above[at]
        before: dict[_Key, _Carried] = carried[parent] if parent is not None else {}
        if parent is not None:
            yield from _schema(releases[parent], release, hotfix=release.version in branched)
        elif at:
            yield _rootless(releases[:at], release)
        own = dict(before) if release.steps else before
        for placed in release.steps:
            key = placed.step.change, placed.step.phase
            if key in own:
                yield _twice(placed, own[key][1])
                continue
            own[key] = release, placed
            first = everywhere.setdefault(key, (release, placed))
            if first[1].step != placed.step:
                yield _differs(release, placed, *first)
        carried.append(own)
    changes = sorted({change for change, phase in everywhere if phase is Phase.EXPAND})
    for release, steps in zip(releases, carried, strict=True):
        for placed in release.steps:
            if steps.get((placed.step.change, placed.step.phase), (None,))[0] is release:
                yield from _life(release, placed, steps, everywhere, changes)
    yield from _lost(releases, carried)


def _rootless(lower: Sequence[Facts], release: Facts) -> Problem:
    """A chain begins once: a later release without a parent has a slip in some date."""
    first = min(lower, key=lambda other: other.date)
    return Complaint(
        Code.DATE_ORDER,
        f"{release.version} is dated before every release of a lower version, so it is built upon"
        " none and nobody could upgrade to it",
        f"write {first.date} or a later day, or mend the date of {first.version}",
    ).at(
        release.date_place,
        Related(
            origin=first.date_place.origin, message=f"{first.version} came out on {first.date}"
        ),
    )


def _schema(earlier: Facts, later: Facts, *, hotfix: bool) -> Iterator[Problem]:
    """A schema number belongs to one set of steps: it rises with them, and only with them.

    A hotfix's own steps have no number: those above are taken by releases without the steps.
    """
    before, after = earlier.schema, later.schema
    related = Related(
        origin=earlier.schema_place.origin, message=f"{earlier.version} has schema {before}"
    )
    place = later.schema_place
    if hotfix:
        if after != before:
            yield Complaint(
                Code.HOTFIX_SCHEMA,
                f"{later.version} came out after a later version, so it is a hotfix of"
                f" {earlier.version}, and changes the schema version from {before} to {after}",
                f"write {before}, or mend the date if it did not come out after that version",
            ).at(place, related)
        return
    if after < before:
        yield Complaint(
            Code.SCHEMA_BACKWARDS,
            f"the schema version goes back from {before} in {earlier.version} to {after}",
            f"write {before + 1 if later.steps else before}, and raise the releases after it",
        ).at(place, related)
    elif after == before and later.steps:
        yield Complaint(
            Code.SCHEMA_KEPT,
            f"{later.version} has schema steps and keeps the schema version {before}"
            f" of {earlier.version}",
            f"write {before + 1}: servers tell schemas apart by this number alone",
        ).at(place, related)
    elif after > before and not later.steps:
        yield Complaint(
            Code.SCHEMA_RAISED,
            f"{later.version} raises the schema version from {before} to {after} without a step",
            f"write {before}, or add the steps",
        ).at(place, related)


def _twice(placed: PlacedStep, first: PlacedStep) -> Problem:
    change, phase = placed.step.change, placed.step.phase.value
    return Complaint(
        Code.DUPLICATE_STEP,
        f"the change {change} has its {phase} here and at {first.place.origin}",
        "keep one, or give the other change a name of its own",
    ).at(placed.place, Related(origin=first.place.origin, message="the other step"))


def _differs(release: Facts, placed: PlacedStep, other: Facts, first: PlacedStep) -> Problem:
    return Complaint(
        Code.STEP_DIFFERS,
        f"{release.version} and {other.version} carry the step {placed.step.id} on two branches,"
        " with different content",
        f"write it as {other.version} has it, the same files included: a shard runs it once",
    ).at(placed.place, Related(origin=first.place.origin, message="the other step"))


def _life(
    release: Facts,
    placed: PlacedStep,
    steps: Mapping[_Key, _Carried],
    everywhere: Mapping[_Key, _Carried],
    changes: Sequence[str],
) -> Iterator[Problem]:
    """A change is expanded first, then migrated, and contracted last, a release later."""
    change, phase = placed.step.change, placed.step.phase
    if phase is Phase.EXPAND:
        return
    expand = steps.get((change, Phase.EXPAND))
    if expand is None:
        yield _without_expand(placed, everywhere.get((change, Phase.EXPAND)), changes)
        return
    expanded, first = expand
    if expanded is release and phase is Phase.CONTRACT:
        yield Complaint(
            Code.CONTRACT_TOO_EARLY,
            f"{release.version} expands and contracts the change {change}, so servers of the "
            "release before it would lose their form at once",
            "move the contract to the next release",
        ).at(
            placed.place,
            Related(origin=first.place.origin, message=f"expanded by {expanded.version}"),
        )
    contract = steps.get((change, Phase.CONTRACT))
    contract = contract or everywhere.get((change, Phase.CONTRACT))
    if phase is Phase.MIGRATE and contract is not None:
        contracted, last = contract
        if contracted.version < release.version:
            yield Complaint(
                Code.MIGRATE_TOO_LATE,
                f"the change {change} is contracted by {contracted.version}, before its "
                "data is moved here",
                "move the contract to this release or a later one",
            ).at(
                placed.place,
                Related(origin=last.place.origin, message=f"contracted by {contracted.version}"),
            )


def _without_expand(
    placed: PlacedStep, elsewhere: _Carried | None, changes: Sequence[str]
) -> Problem:
    change, phase = placed.step.change, placed.step.phase
    code = Code.CONTRACT_WITHOUT_EXPAND if phase is Phase.CONTRACT else Code.MIGRATE_WITHOUT_EXPAND
    if elsewhere is None:
        nearest = difflib.get_close_matches(change, changes, n=1)
        return Complaint(
            code,
            f"no release expands the change {show(change)} that this {phase.value} is about",
            f"write {nearest[0]}" if nearest else "add its expand, or mend the change's name",
        ).at(placed.place)
    expanded, first = elsewhere
    return Complaint(
        code,
        f"the change {change} is expanded later, by {expanded.version}",
        f"move this {phase.value} to a release after it",
    ).at(
        placed.place, Related(origin=first.place.origin, message=f"expanded by {expanded.version}")
    )


def _lost(
    releases: Sequence[Facts], carried: Sequence[Mapping[_Key, _Carried]]
) -> Iterator[Problem]:
    """A shard that ran a hotfix's step can only go on to releases that know the step."""
    branched = hotfixes(releases)
    for hotfix, known in zip(releases, carried, strict=True):
        if not hotfix.steps or hotfix.version not in branched:
            continue
        for later, steps in zip(releases, carried, strict=True):
            if later.version <= hotfix.version or later.date < hotfix.date:
                continue
            missing = [key for key in known if key not in steps]
            if missing:
                _, placed = known[missing[0]]
                yield Complaint(
                    Code.HOTFIX_LOST,
                    f"{later.version} does not carry the step {placed.step.id} of the hotfix"
                    f" {hotfix.version}, so a shard that has run it could never go on",
                    f"add the step to {later.version}, with the same files",
                ).at(
                    later.schema_place,
                    Related(origin=placed.place.origin, message="the hotfix's step"),
                )
                break
