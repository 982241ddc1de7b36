"""Data is data: whatever a file holds is shown as text and never becomes a part of the page."""

from playwright.sync_api import expect

from tests.web.visitor import Visitor

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>"
ALPINE = "{{ alert(3) }}"
BODY = (
    f"{IMAGE},age,{ALPINE}\n"
    + "".join(f"{SCRIPT},{row % 40},x-text\n" for row in range(60))
    + f"{SCRIPT},<b>many</b>,javascript:alert(4)\n" * 2
).encode()
END = b"80,old\n81,900\n82,very old\nthree,40\n"


def test_markup_in_headers_and_cells_is_shown_as_it_is(customer: Visitor) -> None:
    customer.page.on("dialog", lambda dialog: customer.faults.append(f"a dialog: {dialog.message}"))
    name = "<b>people</b>.csv"
    task_id = customer.submit("profile-my-data", BODY, name, agents=["unified-profiler", "readiness-rater"])
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_report()
    for tab in customer.tabs:
        customer.opens_tab(tab)
        expect(customer.page.get_by_test_id("report").get_by_role("heading").first).to_be_visible()
        strangers = customer.page.locator("main :is(img, script, b b, iframe, object, [onerror])")
        assert strangers.count() == 0, tab
    customer.opens_tab("Columns")
    expect(customer.page.get_by_role("heading", name=IMAGE)).to_be_visible()
    expect(customer.page.get_by_text(SCRIPT).first).to_be_visible()
    customer.is_content()


def test_rows_at_fault_are_found_by_column_type_and_text(regular: Visitor) -> None:
    body = b"id,age\n" + b"".join(b"%d,%d\n" % (row, 20 + row % 30) for row in range(80)) + END
    task_id = regular.submit("profile-my-data", body, agents=["unified-profiler"])
    regular.goes_to(f"/tasks/{task_id}/issues")
    regular.sees_report()
    search = regular.page.get_by_role("search", name="Rows at fault")
    every = regular.page.get_by_test_id("rows-found")
    expect(every).to_have_text("4 of 4")
    search.get_by_label("Column").select_option("age")
    expect(every).to_have_text("3 of 4")
    search.get_by_label("Type").select_option("type_mismatch")
    expect(every).to_have_text("2 of 4")
    search.get_by_label("Text").fill("very")
    expect(every).to_have_text("1 of 4")
    search.get_by_label("Text").fill("nobody")
    regular.button("Clear the filters").click()
    expect(every).to_have_text("4 of 4")
    regular.is_content()
