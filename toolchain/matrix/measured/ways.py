"""The ways on which a customer's shard comes through a product's releases."""

from collections.abc import Iterator

from toolchain.model.history import parents, successions
from toolchain.model.release import Product, Release

Way = tuple[Release, ...]


def ways(product: Product) -> tuple[Way, ...]:
    """Each branch from the baseline to its end, then each hotfix's way back to a main line.

    A release without a database package changes no shard, and is on no way.
    """
    found: list[Way] = []
    for way in (*_branches(product), *_returns(product)):
        packaged = tuple(release for release in way if release.database.packaged)
        if packaged and packaged not in found:
            found.append(packaged)
    return tuple(found)


def name_of(way: Way, main: Way) -> str:
    """What tells a way from the main line: the releases that this one passes by."""
    own = [str(release.version) for release in way if release not in main]
    return f"by way of {', '.join(own)}" if own else ""


def _branches(product: Product) -> Iterator[Way]:
    """The histories of the releases that nothing was built upon, the newest first."""
    above = set(parents(product.releases))
    ends = [each for at, each in enumerate(product.releases) if at not in above]
    for end in reversed(ends):
        yield product.history(end)


def _returns(product: Product) -> Iterator[Way]:
    """From a branch's end on to the first later release that takes it in, and to the newest."""
    for earlier, later in successions(product.releases):
        if earlier in product.history(later):
            continue
        for branch in _branches(product):
            if later in branch:
                rest = branch[branch.index(later) :]
                yield (*product.history(earlier), *rest)
                break
