"""A product's own templates, tried on every package before anything is built."""

from collections.abc import Iterator

from toolchain.build.product import OpenProduct
from toolchain.build.targets import Planned, plan_packages
from toolchain.edge.resources import runner_files
from toolchain.errors import SpecError
from toolchain.model.origin import Origin
from toolchain.model.release import Format
from toolchain.render.deb import render_control, render_deb
from toolchain.render.rpm import render_rpm
from toolchain.render.templates import TemplateError, Templates
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint, Place, Problem


def overlay_problems(opened: OpenProduct) -> tuple[Problem, ...]:
    """What is wrong with the product's `packaging/`, by file and line; empty without one."""
    if not (opened.root / "packaging").is_dir():
        return ()
    found = {(problem.origin, problem.message): problem for problem in _tried(opened)}
    return tuple(found[key] for key in sorted(found))


def _tried(opened: OpenProduct) -> Iterator[Problem]:
    """The first problem of each package; many packages meet the same one."""
    try:
        templates = Templates(opened.templates)
    except SpecError as error:
        yield _problem(error, opened)
        return
    listing, sql, licence = opened.listing(), opened.sql(), opened.licence_text
    for planned in plan_packages(opened.product, opened.select(()), listing, sql):
        try:
            _render(planned, templates, licence)
        except SpecError as error:
            yield _problem(error, opened)


def _render(planned: Planned, templates: Templates, licence: str) -> None:
    files = runner_files()
    if planned.format is Format.RPM:
        render_rpm((planned.package,), templates, licence, files)
        return
    render_deb(planned.package, templates, licence, files)
    render_control(planned.package, templates, installed_kib=0)


def _problem(error: SpecError, opened: OpenProduct) -> Problem:
    directory = opened.root / "packaging"
    if isinstance(error, TemplateError):
        place = Place(Origin(file=str(directory / error.template), line=error.line))
        return Complaint(Code.TEMPLATE, error.reason, error.cure).at(place)
    return Complaint(Code.TEMPLATE_FILE, error.message, error.cure).at(
        Place(Origin(file=str(directory)))
    )
