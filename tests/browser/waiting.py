"""Waiting for a page."""

import time

from playwright.sync_api import Page


def eventually(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true; Playwright's own way is an eval in the page.

    The policy of our pages allows none, so that it would fail wherever it has to wait.
    """
    deadline = time.monotonic() + 120
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)
