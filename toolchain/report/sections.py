"""A section for each release: its windows, phases, forms and packages."""

from collections.abc import Iterator, Mapping, Sequence

from toolchain.matrix.chain import product_chain
from toolchain.model.carried import PackageFile
from toolchain.model.change import Form, Step
from toolchain.model.history import hotfixes
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.render.report.content import PhaseRow, Section
from toolchain.report.packaged import package_rows
from toolchain.report.promises import Promises


def newest_final(product: Product) -> Version | None:
    """The release that a rollout goes to; None where none is final and not withdrawn."""
    newest = (release.version for release in reversed(product.releases) if release.recommended)
    return next(newest, None)


def release_sections(promises: Promises, files: Sequence[PackageFile]) -> tuple[Section, ...]:
    """Every release, the newest first."""
    product = promises.product
    chain, late = product_chain(product), hotfixes(product.releases)
    return tuple(
        Section(
            version=release.version,
            date=release.date,
            schema=release.database.schema,
            tags=tuple(_tags(release, newest_final(product), late)),
            withdrawn=release.withdrawn or "",
            changelog=release.changelog,
            place=promises.places.spell(release.origin),
            promises=promises.of(at),
            phases=tuple(_phase(promises, step) for step in release.database.steps),
            forms=tuple(_forms(chain.forms[at])),
            built=bool(files),
            packages=package_rows(product, release, files),
        )
        for at, release in reversed(list(enumerate(product.releases)))
    )


def _tags(release: Release, newest: Version | None, late: frozenset[Version]) -> list[str]:
    marks = {
        "newest": release.version == newest,
        "pre-release": release.version.stage is not None,
        "hotfix": release.version in late,
        "withdrawn": release.withdrawn is not None,
    }
    return [tag for tag, holds in marks.items() if holds]


def _forms(forms: Mapping[str, Form]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for form in Form:
        changes = tuple(sorted(change for change, used in forms.items() if used is form))
        if changes:
            yield form.value, changes


def _phase(promises: Promises, step: Step) -> PhaseRow:
    return PhaseRow(
        phase=step.phase.value,
        change=step.change,
        how=step.sql.name
        if step.sql.text is None
        else f"generated ({step.strategy.value})"
        if step.strategy
        else "generated",
        why=step.why,
        place=promises.places.spell(step.origin),
    )
