"""What a group's tests share is made once: the parallel run keeps them on one worker."""

import pytest


@pytest.mark.xdist_group("kept-together")
def test_the_run_knows_the_groups(request: pytest.FixtureRequest) -> None:
    # pytest-xdist tells its scheduler by the end of the test's name, or, broken, not at all.
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@kept-together")
