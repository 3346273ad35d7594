"""A product's directory to the model: the product, or every problem of every file in one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from toolchain.model.published import Published, PublishedReader
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.spec.chain.changes import check_chain
from toolchain.spec.chain.forms import check_forms, check_served
from toolchain.spec.chain.promises import promises_of
from toolchain.spec.chain.published import Shelf
from toolchain.spec.chain.rollout import check_rollouts
from toolchain.spec.chain.truth import check_truth, hints
from toolchain.spec.chain.windows import check_own, check_reach
from toolchain.spec.facts import Facts
from toolchain.spec.files import SpecFiles
from toolchain.spec.gather import gathered
from toolchain.spec.lint.check import check_safety
from toolchain.spec.problem import Problem, spec_error
from toolchain.spec.product import ProductFacts, check_targets, product_facts, product_of
from toolchain.spec.refactoring.limits import Limits, check_limits
from toolchain.spec.refactoring.writing import write_refactorings
from toolchain.spec.release import CheckedRelease, check_release, release_of
from toolchain.spec.shape.schema import SpecKind
from toolchain.spec.shape.structure import check_structure
from toolchain.spec.sql.files import SqlFiles
from toolchain.spec.statements.lost import check_needs
from toolchain.spec.tree import Tree
from toolchain.spec.variables import declared, expand


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a product's directory holds: the product when nothing is wrong, or the problems.

    `problems` are sorted by file, line and column; so are `hints`, which are no problems.
    """

    product: Product | None
    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...] = ()


def load_product(tree: Tree, environment: Mapping[str, str]) -> Product:
    """The product of a directory; raises SpecError with every problem of its files.

    `environment` holds the values of the variables that product.yaml may declare.
    """
    checked = check_product(tree, environment)
    if checked.product is None:
        raise spec_error(tree.shown(""), checked.problems)
    return checked.product


def _nothing(_product: str) -> Sequence[Published]:
    return ()


def check_product(
    tree: Tree, environment: Mapping[str, str], published: PublishedReader = _nothing
) -> Checked:
    """The product of a directory, or every problem of its files; raises nothing of its own.

    `published` finds what customers have already: facts that the specs must agree with.
    """
    files, sql = SpecFiles(tree), SqlFiles(tree)
    product, names = files.product(), files.release_names()
    variables = declared(product, environment)
    expand(product, variables)
    check_structure(product, SpecKind.PRODUCT)
    check_targets(product)
    facts = product_facts(product)
    releases = []
    for name in names:
        document = files.document(name)
        expand(document, variables)
        check_structure(document, SpecKind.RELEASE)
        releases.append(check_release(document, facts, tree, sql, frozenset(names)))
    releases, limits = _written(releases, sql, whole=not files.problems)
    problems = [*files.problems, *sql.problems, *product.problems]
    for release in releases:
        problems.extend(release.document.problems)
    shelf = Shelf.of(published(facts.name) if facts.named else ())
    chain = _chain(releases, facts, shelf, sql, limits, whole=not files.problems)
    problems.extend(chain.problems)
    lint = _lint(releases, sql, whole=not files.problems)
    problems.extend(problem for problem in lint if not problem.code.is_hint)
    texts = {**files.texts, **sql.texts}
    advice = [problem for problem in lint if problem.code.is_hint]
    for release in releases:
        advice.extend(release.document.hints)
    hints = gathered((*chain.hints, *advice), texts)
    if problems:
        return Checked(product=None, problems=gathered(problems, texts), hints=hints)
    settled = {release.version: release for release in chain.releases}
    built = [release for release in (release_of(each, settled) for each in releases) if release]
    built.sort(key=lambda release: release.version)
    values = {name: value for name, value in (variables or {}).items() if value is not None}
    return Checked(product=product_of(product, built, values), problems=(), hints=hints)


def _written(
    releases: Sequence[CheckedRelease], sql: SqlFiles, *, whole: bool
) -> tuple[list[CheckedRelease], Limits]:
    """The releases with the SQL of what they declare, as far as the chain is known."""
    known = [(release.document, release.facts) for release in releases if release.facts]
    if not whole or len(known) < len(releases):
        return list(releases), {}
    written = write_refactorings(known, sql)
    settled = {facts.file: facts for facts in written.facts}
    placed = [replace(release, facts=settled[release.document.name]) for release in releases]
    return placed, written.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """What the releases say together: every window settled, and the problems between them."""

    releases: Sequence[Facts] = ()
    problems: Sequence[Problem] = ()
    hints: Sequence[Problem] = ()


def _chain(
    releases: Sequence[CheckedRelease],
    product: ProductFacts,
    shelf: Shelf,
    sql: SqlFiles,
    limits: Limits,
    *,
    whole: bool,
) -> _Chain:
    """Look at all releases; `whole` is False when a file of the chain is missing.

    Without every link of the chain nothing can be said of it that would not change with the link.
    What is wrong with a change's life is told before anything that follows from it.
    """
    known = sorted(
        (release.facts for release in releases if release.facts is not None),
        key=lambda facts: facts.version,
    )
    if not whole or len(known) < len(releases) or not known:
        return _Chain(problems=tuple(check_own(known)))
    problems = list(check_chain(known))
    if problems or product.rollout is None or product.skew is None:
        return _Chain(problems=(*check_own(known), *problems))
    promises = promises_of(known, product.rollout, product.skew, shelf)
    problems = [*check_forms(known, promises.chain), *check_served(known)]
    if not problems:
        others = shelf.without_specs(known)
        problems += shelf.contradictions()
        problems += shelf.differences(promises.said, _checksums(known, sql))
        problems += check_own(promises.releases, promises)
        told = {problem.origin for problem in problems}
        problems += (wide for wide in check_truth(promises) if wide.origin not in told)
        problems += check_reach(promises, others)
        problems += check_rollouts(promises, others)
        statements = {
            release.facts.version: release.server.statements
            for release in releases
            if release.facts is not None and release.server is not None
        }
        limited = list(check_limits(promises.releases, promises.chain, limits, statements))
        told = {problem.origin for problem in limited}
        needs = check_needs(promises.releases, promises.chain, statements, sql)
        problems += (*limited, *(need for need in needs if need.origin not in told))
    wider = () if problems else tuple(hints(promises))
    return _Chain(releases=promises.releases, problems=problems, hints=wider)


def _lint(releases: Sequence[CheckedRelease], sql: SqlFiles, *, whole: bool) -> list[Problem]:
    """What the SQL of the chain would do; with a release missing, too little is known to say."""
    known = [(release.document, release.facts) for release in releases if release.facts]
    return check_safety(known, sql) if whole and len(known) == len(releases) else []


def _checksums(releases: Sequence[Facts], sql: SqlFiles) -> dict[Version, dict[str, str]]:
    """The SHA-256 of every step whose SQL could be read, by release and id."""
    found: dict[Version, dict[str, str]] = {}
    for release in releases:
        own = found.setdefault(release.version, {})
        for placed in release.steps:
            checksum = sql.checksum(placed.step.sql.name)
            if checksum is not None:
                own[placed.step.id] = checksum
    return found
