"""A real Chromium, started once for all tests that look at pages and pictures."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

# Milliseconds; on a busy machine the browser waits for its turn.
PATIENCE = 300_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; tests run as root, where it has no sandbox."""
    path = shutil.which("chromium")
    assert path is not None, "Chromium is missing: run scripts/bootstrap"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=PATIENCE
        )
        yield started
        started.close()
