"""A product's directory to the model: the product, or every problem of every file in one run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.model.release import Product
from toolchain.spec.chain.changes import check_chain
from toolchain.spec.chain.rollout import check_rollouts
from toolchain.spec.chain.windows import check_own, check_reach
from toolchain.spec.codes import Code
from toolchain.spec.files import SpecFiles
from toolchain.spec.gather import gathered
from toolchain.spec.problem import Problem, spec_error
from toolchain.spec.product import ProductFacts, check_targets, product_facts, product_of
from toolchain.spec.release import CheckedRelease, check_release, release_of
from toolchain.spec.shape.schema import SpecKind
from toolchain.spec.shape.structure import check_structure
from toolchain.spec.sql.files import SqlFiles
from toolchain.spec.tree import Tree
from toolchain.spec.variables import declared, expand


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a product's directory holds: the product when nothing is wrong, or the problems.

    `problems` are sorted by file, line and column.
    """

    product: Product | None
    problems: tuple[Problem, ...]


def load_product(tree: Tree, environment: Mapping[str, str]) -> Product:
    """The product of a directory; raises SpecError with every problem of its files.

    `environment` holds the values of the variables that product.yaml may declare.
    """
    checked = check_product(tree, environment)
    if checked.product is None:
        raise spec_error(tree.shown(""), checked.problems)
    return checked.product


def check_product(tree: Tree, environment: Mapping[str, str]) -> Checked:
    """The product of a directory, or every problem of its files; raises nothing of its own."""
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
    problems = [*files.problems, *sql.problems, *product.problems]
    for release in releases:
        problems.extend(release.document.problems)
    problems.extend(_between(releases, facts, whole=not files.problems))
    if problems:
        texts = {**files.texts, **sql.texts}
        return Checked(product=None, problems=gathered(problems, texts))
    built = [release for release in map(release_of, releases) if release is not None]
    built.sort(key=lambda release: release.version)
    return Checked(product=product_of(product, built), problems=())


def _between(
    releases: Sequence[CheckedRelease], product: ProductFacts, *, whole: bool
) -> Iterator[Problem]:
    """The problems between releases; `whole` is False when a file of the chain is missing.

    Without every link of the chain nothing can be said of it that would not change with the link.
    """
    known = sorted(
        (release.facts for release in releases if release.facts is not None),
        key=lambda facts: facts.version,
    )
    yield from check_own(known)
    if not whole or len(known) < len(releases):
        return
    chain = list(check_chain(known))
    yield from chain
    if any(problem.code is Code.SCHEMA_BACKWARDS for problem in chain):
        return  # windows of schemas mean nothing while their numbers are out of order
    if product.rollout is not None and product.skew is not None:
        yield from check_reach(known, product.rollout, product.skew)
        yield from check_rollouts(known, product.rollout, product.skew)
