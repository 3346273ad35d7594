"""Which files of a product a package is made from, for its statement of provenance."""

from pathlib import PurePosixPath

from toolchain.model.release import Product, Release
from toolchain.plan.entry import File, Payload
from toolchain.plan.package import Package, Role

PRODUCT_FILE = "product.yaml"


def spec_of(release: Release) -> str:
    """The release's spec, by its name in the product's directory."""
    return PurePosixPath(release.origin.file).name


def is_spec(path: str) -> bool:
    """Whether a path below the product is that of a spec: they lie at its top."""
    return "/" not in path and path.endswith(".yaml")


def materials(product: Product, release: Release, package: Package) -> tuple[str, ...]:
    """Paths relative to the product, sorted: specs, SQL of the database's phases, payload.

    Releases that came out later are no inputs: adding one changes no earlier statement. Templates
    and the licence file are the same for every package of a build, and not among them.
    """
    earlier = (
        past
        for past in product.releases
        if past.version <= release.version and past.date <= release.date
    )
    found = {PRODUCT_FILE, *map(spec_of, earlier)}
    found |= {
        entry.content.path
        for entry in package.entries
        if isinstance(entry, File) and isinstance(entry.content, Payload)
    }
    if package.role is Role.DATABASE:
        found |= {
            script.name
            for past in product.history(release)
            for step in past.database.steps
            for script in (step.sql, step.undo)
            if script is not None and script.text is None
        }
    return tuple(sorted(found))
