"""The snippets for a frontend, in a browser, as one module from the first to the last."""

from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.acceptance.house import House
from tests.docs.pages import ROOT, page
from tests.web.visitor import ARGUMENTS, chromium_or_skip

PAGE = page(ROOT / "docs" / "how-to" / "integrate-from-your-frontend.md")


@pytest.mark.timeout(300)
def test_a_frontend_of_ones_own_goes_the_whole_way(working_house: House) -> None:
    module = "\n".join(block.text for block in PAGE.blocks if block.language == "js")
    module = module.replace("http://127.0.0.1:8000", working_house.api_url).replace("@example", "@frontend.example")
    module = f"async () => {{ {module}\n return {{ task, seen, report, html }} }}"
    found = in_a_browser(f"{working_house.api_url}/healthz", module)
    assert (found["task"]["status"], found["report"]["status"]) == ("COMPLETED", "success")
    assert (found["seen"][0], found["html"]["size"] > 10_000) == ("snapshot", True)


def in_a_browser(address: str, module: str) -> Any:
    """At a page that browsers trust, with no policy of its own; other
    origins may be asked, as CORS_ORIGINS and the bucket's own rules would allow it.
    """
    with sync_playwright() as playwright:
        arguments = [*ARGUMENTS, "--disable-web-security"]
        browser = playwright.chromium.launch(executable_path=chromium_or_skip(), args=arguments)
        try:
            tab = browser.new_page(bypass_csp=True)
            tab.goto(address)
            return tab.evaluate(module)
        finally:
            browser.close()
