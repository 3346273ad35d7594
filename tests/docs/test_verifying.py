"""The page about verification names every kind of finding and every option."""

import click
import pytest

from tests.conftest import REPOSITORY
from toolchain.cli.verify import command as verify
from toolchain.verify.finding import Kind

PAGE = (REPOSITORY / "docs/how-to/verify.md").read_text()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_finding_has_a_row(kind: Kind):
    assert f"| `{kind.value}` |" in PAGE


def test_every_option_of_its_own_is_explained():
    known = {"--json", "--verbose"}
    for option in verify.params:
        if isinstance(option, click.Option) and not known & set(option.opts):
            assert any(name in PAGE for name in (*option.opts, *option.secondary_opts)), option
