"""`python -m tests.web.pictures`: the pages as they are today, to docs/pages/. Small: 256 colours are not needed.

A deployment of its own is started, three tools are run on the example and on a table of people made here.
"""

import random
import tempfile
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, expect, sync_playwright

from backend.chaos.deployment import Deployment
from backend.devstack import embedded_stack
from db.database import libpq_url
from db.schema import migrate
from tests.conftest import TEMPLATE, new_database
from tests.web.visitor import DESKTOP, PHONE, Visitor, chromium

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pages"
EXAMPLE = (ROOT / "examples" / "data" / "hospitals.csv").read_bytes()
LARGEST = 200_000  # bytes
SETTINGS = {"SIGNUP_CREDITS": "1500"}
FIRST, LAST = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances"), ("Lovelace", "Hopper", "Dijkstra", "Liskov")
CITIES = ("London", "Paris", "Rome", "Vienna")


def people(seed: int = 5) -> bytes:
    """Two hundred rows on some ninety persons, with slips of the pen."""
    chance = random.Random(seed)
    lines = ["id,first_name,surname,city,email,born"]
    for number in range(200):
        person = random.Random(number % 90)
        first, last, city = person.choice(FIRST), person.choice(LAST), person.choice(CITIES)
        email = f"{first}.{last}{number % 90}@example.com".lower()
        born = f"{person.randint(1950, 2000)}-0{person.randint(1, 9)}-{person.randint(10, 28)}"
        if chance.random() < 0.25:
            last = last[:2] + last[3:]
        if chance.random() < 0.2:
            city = ""
        lines.append(f"{number},{first},{last},{city},{email},{born}")
    return "\n".join(lines).encode()


def take_pictures() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, embedded_stack(Path(directory), fast=True) as stack:
        migrate(stack.postgres.create_database(TEMPLATE))
        house = Deployment(stack, "solo", Path(directory), new_database(stack, "pictures"), SETTINGS)
        try:
            house.open()
            with sync_playwright() as playwright, chromium(playwright) as browser:
                playwright.selectors.set_test_id_attribute("data-test")
                _all(browser, house)
        finally:
            house.close()


def _all(browser: Browser, house: Deployment) -> None:
    visitor = Visitor.at(browser.new_context(locale="en-GB", viewport=DESKTOP), house.api_url)  # type: ignore[arg-type]
    visitor.page.set_default_timeout(600_000)
    visitor.signed_in()
    _new_task(visitor)
    profile = visitor.submit("profile-my-data", EXAMPLE, "hospitals.csv")
    clean = visitor.submit("clean-my-data", EXAMPLE, "hospitals.csv")
    master = visitor.submit("master-my-data", people())
    _operator(visitor, house)
    for task_id, tabs in ((profile, ("overview", "columns")), (clean, ("cleaning",)), (master, ("golden",))):
        visitor.goes_to(f"/tasks/{task_id}")
        _until_done(visitor)
        for tab in tabs:
            visitor.goes_to(f"/tasks/{task_id}/{tab}")
            _take(visitor, f"report-{tab}", at="Every column" if tab == "columns" else "")
    visitor.button("Use dark colours").click()
    visitor.goes_to(f"/tasks/{profile}/columns")
    _take(visitor, "report-columns-dark", at="Every column")
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.goes_to(f"/tasks/{profile}/overview")
    _take(visitor, "report-on-a-phone")


def _new_task(visitor: Visitor) -> None:
    visitor.button("Try with an example").click()
    expect(visitor.page.get_by_test_id("file")).to_be_visible()
    _take(visitor, "new-task")
    visitor.button("Upload and check").click()
    visitor.button("Start").click()
    expect(visitor.page.locator(".step.delivered").first).to_be_visible(timeout=60_000)
    _take(visitor, "watching")


def _operator(visitor: Visitor, house: Deployment) -> None:
    with psycopg.connect(libpq_url(house.database_url), autocommit=True) as connection:
        named = "UPDATE users SET role = 'admin', email = 'ada@example.com' WHERE email = %s"
        connection.execute(named, [visitor.email])
    visitor.page.reload()
    visitor.goes_to("/operator")
    expect(visitor.page.get_by_test_id("slots")).to_be_visible()
    visitor.page.wait_for_timeout(3_000)  # until a worker is in the middle of it
    _take(visitor, "operator")


def _until_done(visitor: Visitor) -> None:
    expect(visitor.page.get_by_test_id("report")).to_be_visible(timeout=600_000)


def _take(visitor: Visitor, name: str, *, at: str = "") -> None:
    visitor.page.wait_for_timeout(800)  # until the fonts are there
    visitor.page.evaluate("scrollTo(0, 0)")
    if at:
        visitor.page.get_by_role("heading", name=at).evaluate("heading => heading.scrollIntoView()")
        visitor.page.wait_for_timeout(800)  # and the charts
    path = FOLDER / f"{name}.png"
    visitor.page.screenshot(path=path)
    assert path.stat().st_size <= LARGEST, f"{path} has {path.stat().st_size:,} bytes"


if __name__ == "__main__":
    take_pictures()
