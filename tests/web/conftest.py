"""One deployment with a real worker and one browser for all of the pages' tests, closed before other tests begin: while
Playwright is there, no other loop can run in this thread.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.model_server import ModelServer, serving
from tests.web.visitor import PHONE, Visitor, chromium, chromium_or_skip

expect.set_options(timeout=30_000)  # milliseconds; five are not enough for a machine that others use too
PATIENT = {"TIME_LIMIT_SECONDS": "120", "NO_PROGRESS_SECONDS": "60"}  # a browser beside it takes the processor, too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest's own patience is longer than a page's, or it ends the browser of all that come after."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def models() -> Iterator[ModelServer]:
    """What the deployment's tools ask; each test scripts it anew."""
    with serving() as server:
        yield server


@pytest.fixture(scope="package")
def web_house(stack: Stack, models: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    chromium_or_skip()
    house = House(stack, "solo", tmp_path_factory.mktemp("web"), more={**PATIENT, **models.environment()})
    try:
        house.open()
        yield house
    finally:
        house.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium_or_skip()
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        with chromium(playwright) as browser:
            yield browser


@pytest.fixture
def visitor(web_house: House, browser: Browser) -> Iterator[Visitor]:
    """Nobody yet: the page shows what strangers see."""
    context = browser.new_context(locale="en-GB", accept_downloads=True)
    yield Visitor.at(context, web_house.api_url)
    context.close()


@pytest.fixture
def customer(visitor: Visitor) -> Visitor:
    visitor.signed_in()
    return visitor


@pytest.fixture(scope="package")
def _tab(web_house: House, browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(locale="en-GB", accept_downloads=True)
    visitor = Visitor.at(context, web_house.api_url)
    visitor.signed_in()
    yield visitor
    context.close()


@pytest.fixture
def regular(_tab: Visitor) -> Iterator[Visitor]:
    """A customer who leaves the tab open from test to test: opening one costs a second and a half of a processor."""
    _tab.faults.clear()
    yield _tab
    _tab.page.unroute_all()


@pytest.fixture
def on_a_phone(web_house: House, browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(locale="en-GB", viewport=PHONE, is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    visitor = Visitor.at(context, web_house.api_url)
    visitor.signed_in()
    yield visitor
    context.close()
