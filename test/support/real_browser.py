"""A real browser (Chromium) for tests of the page; without one they are skipped, and say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from patience import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS = 1000 * PATIENCE_S


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """The browser; its loop ends with the module, so that other tests can have theirs."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: make setup"
    )
    found = os.environ.get("ACTSEG_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no browser is installed: apt install chromium, or set ACTSEG_BROWSER")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chrome: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a window of its own; errors on it and foreign requests fail the test."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def begin(address: str, **options: Any) -> Any:
        context = chrome.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        window = context.new_page()
        window.on("pageerror", lambda error: wrong.append(str(error)))
        home = address.partition("#")[0]

        def on_request(request: Any) -> None:
            if not request.url.startswith((home, home.replace("http", "ws", 1), "blob:")):
                wrong.append(f"asked {request.url}")

        window.on("request", on_request)
        window.goto(address)
        return window

    yield begin
    for context in contexts:
        context.close()
    assert wrong == []
