"""product.yaml: what all releases share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toolchain.model.release import (
    Architecture,
    Format,
    Product,
    Release,
    RolloutPolicy,
    Target,
)
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.duplicates import check_duplicates
from toolchain.spec.located.node import Table
from toolchain.spec.problem import Complaint

FILE_NAME = "product.yaml"
_NAMELESS = "PRODUCT"  # no product's name, which has small letters only


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """What the checks of a release need of its product; None where product.yaml is not sound."""

    name: str
    summary: str
    architectures: tuple[Architecture, ...]
    rollout: RolloutPolicy | None
    skew: int | None

    @property
    def named(self) -> bool:
        """Whether `name` is the product's, and no stand-in for one that is not sound."""
        return self.name != _NAMELESS

    @property
    def own_packages(self) -> tuple[str, ...]:
        """The names that only Interlock's own relations may name."""
        return tuple(f"{self.name}-{half}" for half in ("server", "database", "schema"))


def product_facts(document: Document) -> ProductFacts:
    """As much of product.yaml as is sound."""

    def sound_text(key: str) -> str:
        return document.top.text(key) if document.sound((key,)) else ""

    rollout = sound_text("rollout")
    targets = targets_of(document) if document.sound(("targets",)) else ()
    return ProductFacts(
        name=sound_text("product") or _NAMELESS,
        summary=sound_text("summary") or "SUMMARY",
        architectures=tuple(
            architecture
            for architecture in Architecture
            if any(architecture in target.architectures for target in targets)
        ),
        rollout=RolloutPolicy(rollout) if rollout else None,
        skew=document.top.number("skew", 1) if document.sound(("skew",)) else None,
    )


def targets_of(document: Document) -> tuple[Target, ...]:
    """The package formats to build, in the order of `Format`; needs a sound `targets` section."""
    targets = document.section("targets")
    return tuple(
        _target(targets.table(package.value), package)
        for package in Format
        if targets.has(package.value)
    )


def _target(table: Table, package: Format) -> Target:
    return Target(
        format=package,
        architectures=tuple(Architecture(item.text) for item in table.scalars("architectures")),
        distributions=tuple(item.text for item in table.scalars("distributions")),
        compression=table.text("compression") if table.has("compression") else None,
        origin=table.origin,
    )


def check_targets(document: Document) -> None:
    """Note architectures that exclude each other and items that stand twice."""
    if not document.sound(("targets",)):
        return
    for target in targets_of(document):
        path = ("targets", target.format.value)
        if Architecture.ALL in target.architectures and len(set(target.architectures)) > 1:
            document.complain(
                Complaint(
                    Code.ARCHITECTURES,
                    "'all' stands beside other architectures",
                    "write 'all' alone when one package serves every machine, or leave it out",
                ),
                (*path, "architectures"),
            )
        lists = {
            "architectures": [architecture.value for architecture in target.architectures],
            "distributions": target.distributions,
        }
        for key, items in lists.items():
            named = [(item, (*path, key, at)) for at, item in enumerate(items)]
            check_duplicates(document, named)


def product_of(
    document: Document, releases: Iterable[Release], environment: Mapping[str, str]
) -> Product:
    """The product, from a document that is sound and releases in version order."""
    root, facts = document.top, product_facts(document)
    return Product(
        name=facts.name,
        summary=facts.summary,
        description=root.text("description"),
        maintainer=root.text("maintainer"),
        homepage=root.text("homepage"),
        licence=root.text("licence"),
        copyright=root.text("copyright"),
        rollout=RolloutPolicy(root.text("rollout")),
        skew=root.number("skew", 1),
        protect=root.flag("protect", default=True),
        targets=targets_of(document),
        releases=tuple(releases),
        environment=environment,
        origin=root.origin,
    )
