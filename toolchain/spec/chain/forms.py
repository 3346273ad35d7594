"""Whether each server may use the forms that its spec declares, and may do without a package."""

import difflib
from collections.abc import Iterator, Sequence

from toolchain.matrix.chain import FormChain, Held
from toolchain.model.change import Form, Phase
from toolchain.model.history import parents
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedForm
from toolchain.spec.problem import Complaint, Problem, Related
from toolchain.spec.wording import show


def check_forms(releases: Sequence[Facts], chain: FormChain) -> Iterator[Problem]:
    """A server uses what its own release's shard has; both are built from one spec."""
    for release, held in zip(releases, chain.held, strict=True):
        for change, placed in release.forms.items():
            complaint = _complaint(release, change, placed, held, chain)
            if complaint is not None:
                yield complaint.at(placed.place, *_related(releases, change, held))


def check_left_out(release: Facts) -> Iterator[Problem]:
    """A release without a database package has nothing to do or to say there."""
    if release.packaged:
        return
    if release.steps:
        yield Complaint(
            Code.DATABASE_LEFT_OUT,
            f"{release.version} has schema steps and no database package that would carry them",
            "take 'package: false' out",
        ).at(release.steps[0].place)
    if release.servers_declared:
        yield Complaint(
            Code.DATABASE_LEFT_OUT,
            f"{release.version} has no database package that could say which servers it accepts",
            "take the window out, or 'package: false'",
        ).at(release.servers_place)


def check_served(releases: Sequence[Facts]) -> Iterator[Problem]:
    """The database package that serves a release without one can still be installed."""
    above = parents(releases)
    for at, release in enumerate(releases):
        place: int | None = at
        while place is not None and not releases[place].packaged:
            place = above[place]
        if release.withdrawn is not None or place is None or place == at:
            continue
        serving = releases[place]
        if serving.withdrawn is not None:
            yield Complaint(
                Code.DATABASE_LEFT_OUT,
                f"{release.version} has no database package, and the one before it, of"
                f" {serving.version}, is withdrawn",
                "take 'package: false' out",
            ).at(
                release.schema_place,
                Related(origin=serving.version_place.origin, message="the withdrawn release"),
            )


def _complaint(
    release: Facts, change: str, placed: PlacedForm, held: Held, chain: FormChain
) -> Complaint | None:
    form = placed.form
    if change not in chain.changes:
        nearest = difflib.get_close_matches(change, chain.changes, n=1)
        return Complaint(
            Code.FORM_UNKNOWN,
            f"no release expands the change {show(change)}",
            f"write {nearest[0]}" if nearest else "delete it",
        )
    if change not in held.expanded:
        return Complaint(
            Code.FORM_UNKNOWN,
            f"{release.version} comes before the change {change}, so its server knows the old form"
            " alone",
            "delete it",
        )
    if form is Form.NEW and change not in held.ready:
        return Complaint(
            Code.FORM_NOT_READY,
            f"the server of {release.version} would use the new form of {change} alone, which is"
            " not ready before a later release has moved its data",
            "write both or old, or migrate the change in this release",
        )
    if form is Form.OLD and change in held.contracted:
        return Complaint(
            Code.FORM_GONE,
            f"the server of {release.version} would use the old form of {change}, which is"
            " contracted by then",
            "write new or both, or move the contract to a later release",
        )
    return None


def _related(releases: Sequence[Facts], change: str, held: Held) -> Iterator[Related]:
    """The step that decides: what removes the old form, what makes the new one ready."""
    phases = (Phase.CONTRACT,) if change in held.contracted else (Phase.MIGRATE, Phase.EXPAND)
    for phase in phases:
        for other in releases:
            step = other.placed(change, phase)
            if step is not None and step.step.readies:
                words = f"{other.version} has the {phase.value} of {change}"
                yield Related(origin=step.place.origin, message=words)
                return
