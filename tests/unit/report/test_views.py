"""The matrix in its views, and what it means that they differ."""

from pathlib import Path

from tests.report_samples import open_sample, version
from toolchain.matrix.compatibility import matrix
from toolchain.matrix.views import Difference, View, Word, views


def test_what_is_declared_is_the_matrix(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    rows = views(product).words[View.DECLARED]
    assert [[word is Word.FITS for word in row] for row in rows] == [
        list(row) for row in matrix(product).fits
    ]


def test_what_follows_from_the_changes_is_wider_than_a_promise_of_one_release(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    found = views(product)
    # 1.0.0 uses nothing that a later release takes away; database 1.2.0 promises 1.1.0 alone.
    assert found.words[View.DERIVED][0] == (Word.FITS,) * 3
    assert list(found.differences) == [(0, 2, Difference.WIDER)]


def test_a_promise_that_fails_is_broken_and_one_that_could_be_wider_is_not(tmp_path: Path):
    product = open_sample(tmp_path / "demo").product
    first, second, third = map(version, ("1.0.0", "1.1.0", "1.2.0"))
    found = views(product, measured={(second, first): False, (first, second): False})
    assert found.difference(0, 1) is Difference.BROKEN
    assert found.difference(1, 0) is None
    assert found.difference(0, 2) is Difference.WIDER
    assert found.words[View.MEASURED][2][2] is Word.UNKNOWN
    assert views(product, packages={(first, third): True}).difference(0, 2) is Difference.BROKEN
    assert views(product, packages={(first, second): False}).difference(0, 1) is Difference.BROKEN
