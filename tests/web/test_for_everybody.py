"""By keyboard alone, on a phone, in the dark."""

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, expect

from tests.acceptance.house import TABLE, House
from tests.web.visitor import PASSWORD, Visitor

PLACES = ("/new", "/tasks", "/search", "/credits", "/account", "/nowhere")


def test_the_whole_way_by_keyboard(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": TABLE}
    page.on("filechooser", lambda chooser: chooser.set_files(file))
    page.goto(visitor.origin)
    visitor.sees("Open an account")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    _tab_to(visitor, page.get_by_label("E-mail"))
    keys.type(visitor.email)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    visitor.sees("What shall we do with your data?")
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    _tab_to(visitor, page.get_by_label("Choose a file", exact=True))
    keys.press("Enter")
    expect(page.get_by_test_id("file")).to_have_text("people.csv")
    _tab_to(visitor, page.get_by_role("radio", name="Profile my data"))
    while not page.get_by_role("radio", name="Probe").is_checked():
        keys.press("ArrowDown")
    _tab_to(visitor, visitor.button("Upload and check"))
    keys.press("Enter")
    expect(visitor.button("Start")).to_be_focused()
    keys.press("Enter")
    visitor.sees_state("Done")
    visitor.sees_report()
    _tab_to(visitor, page.get_by_role("link", name="Files"))
    keys.press("Enter")
    expect(visitor.button("Download report.html")).to_be_visible()
    visitor.is_content()


def _tab_to(visitor: Visitor, target: Locator, most: int = 80) -> None:
    """Press Tab until the element has the focus, and see that it is shown to have it."""
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{target} was not reached in {most} steps")


def test_no_page_scrolls_sideways_on_a_phone(on_a_phone: Visitor) -> None:
    body = b"an_uncommonly_long_name_of_a_column_without_any_blank,age\n" + b"x" * 200 + b",36\nAda,85\n,\n"
    task_id = on_a_phone.submit("profile-my-data", body, agents=["unified-profiler", "readiness-rater"])
    on_a_phone.goes_to(f"/tasks/{task_id}")
    on_a_phone.sees_report()
    for tab in on_a_phone.tabs:
        on_a_phone.opens_tab(tab)
        expect(on_a_phone.page.get_by_test_id("report").get_by_role("heading").first).to_be_visible()
        assert on_a_phone.overflow == 0, tab
    for place in PLACES:
        on_a_phone.goes_to(place)
        expect(on_a_phone.page.get_by_role("heading", level=1)).to_be_visible()
        assert on_a_phone.overflow == 0, place
    on_a_phone.is_content()


def test_the_page_is_dark_where_the_reader_is_and_can_be_turned(web_house: House, browser: Browser) -> None:
    context = browser.new_context(color_scheme="dark")
    visitor = Visitor.at(context, web_house.api_url)
    visitor.page.goto(visitor.origin)
    visitor.sees("Open an account")
    expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")
    visitor.button("Use light colours").click()
    visitor.page.reload()
    expect(visitor.page.locator("html")).to_have_attribute("data-theme", "light")
    visitor.is_content()
    context.close()


def test_a_reload_keeps_the_account_and_signing_out_ends_it(visitor: Visitor) -> None:
    visitor.register()
    token = visitor.page.evaluate("sessionStorage.getItem('agensium.refresh')")
    visitor.page.route("**/auth/me", lambda route: route.fulfill(status=503, body="", content_type="text/plain"))
    visitor.page.reload()
    visitor.sees("The server answered 503.")
    visitor.page.unroute("**/auth/me")
    visitor.button("Try again").click()
    visitor.sees("What shall we do with your data?")
    visitor.page.evaluate("token => sessionStorage.setItem('agensium.refresh', token)", token)  # the answer was lost
    visitor.page.reload()
    visitor.sees("What shall we do with your data?")
    visitor.goes_to("/account")
    visitor.button("Sign out").click()
    visitor.sees("Sign in")
    visitor.page.reload()
    visitor.sees("Sign in")
    visitor.is_content(but_for="503")


def test_a_key_is_shown_once_on_a_page_that_comes_at_the_second_try(customer: Visitor) -> None:
    customer.page.route("**/account.html", lambda route: route.fulfill(status=503, body=""))
    customer.goes_to("/account")
    expect(customer.page.get_by_text("This could not be fetched.")).to_be_visible()
    customer.page.unroute("**/account.html")
    customer.button("Try again").click()
    customer.sees("Account")
    expect(customer.page).to_have_title("Account · Agensium")
    customer.page.get_by_label("Name of the key").fill("nightly import")
    customer.button("Make a key").click()
    key = customer.page.get_by_test_id("key").inner_text()
    assert key.startswith("ag_")
    customer.page.reload()
    expect(customer.page.get_by_role("cell", name="nightly import", exact=True)).to_be_visible()
    assert key not in customer.page.content()
    customer.is_content(but_for="503")


def test_what_cannot_be_done_is_told_beside_the_form(visitor: Visitor) -> None:
    visitor.register()
    visitor.goes_to("/account")
    visitor.button("Sign out").click()
    visitor.page.get_by_label("E-mail").fill(visitor.email)
    visitor.page.get_by_label("Password").fill("a wrong password")
    visitor.button("Sign in").first.click()
    expect(visitor.page.get_by_role("alert").filter(has_text="password is wrong")).to_be_visible()
    visitor.is_content(but_for="401")
