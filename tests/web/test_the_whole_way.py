"""What a newcomer does, with nothing read and nothing prepared."""

import hashlib
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.web.visitor import Visitor

TWO_MINUTES = 120
TABS = {"Overview", "Columns", "Risk and readiness", "Issues", "Advice", "Agents", "Files"}


def test_from_an_account_to_a_downloaded_report(visitor: Visitor, tmp_path: Path) -> None:
    started = time.monotonic()
    visitor.register()
    visitor.button("Try with an example").click()
    expect(visitor.page.get_by_test_id("file")).to_have_text("hospitals.csv")
    visitor.button("Upload and check").click()
    expect(visitor.page.get_by_test_id("quote")).to_contain_text("165 credits")
    visitor.button("Start").click()
    visitor.sees("Profile my data")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    expect(visitor.page).to_have_title("Profile my data · Agensium")
    visitor.sees_report()
    visitor.opens_tab("Files")
    report = visitor.downloads("report.html", tmp_path)
    assert time.monotonic() - started < TWO_MINUTES

    visitor.sees_state("Done")
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert set(visitor.tabs) >= TABS
    for tab in visitor.tabs:
        visitor.opens_tab(tab)
        expect(visitor.page.get_by_test_id("report").get_by_role("heading").first).to_be_visible()
    visitor.is_content()


def test_every_file_arrives_as_it_was_published(regular: Visitor, tmp_path: Path) -> None:
    task_id = regular.submit("profile-my-data", b"name,age\nAda,36\nGrace,85\n", agents=["readiness-rater"])
    regular.goes_to(f"/tasks/{task_id}/files")
    regular.sees_report()
    for output in regular.ask(f"/tasks/{task_id}/outputs")["outputs"]:
        arrived = regular.downloads(output["name"], tmp_path).read_bytes()
        assert hashlib.sha256(arrived).hexdigest() == output["sha256"], output["name"]
    regular.is_content()


def test_the_ledger_tells_what_was_set_aside_and_charged(customer: Visitor) -> None:
    task_id = customer.submit("profile-my-data", b"name,age\nAda,36\n", agents=["readiness-rater"])
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_report()
    expect(customer.page.get_by_test_id("bill")).to_contain_text("25 credits charged")
    customer.goes_to("/credits")
    customer.sees("Credits")
    for said in ("Charged from what was set aside", "Set aside for a task", "Granted"):
        expect(customer.page.get_by_role("cell", name=said)).to_be_visible()
    expect(customer.page.get_by_test_id("balance")).to_have_text("9,975")
    customer.is_content()


def test_a_report_proposes_the_next_task_with_its_parameters(regular: Visitor) -> None:
    regular.goes_to("/new")
    body = b"id,city\n" + b"".join(b"%d,%s\n" % (row, b"" if row % 3 else b"Rome") for row in range(40))
    regular.drops("cities.csv", body)
    for agent in ("Risk scorer", "Test coverage", "Readiness rater", "Governance checker", "Drift detector"):
        regular.page.get_by_role("checkbox", name=agent).uncheck()
    expect(regular.page.get_by_test_id("price")).to_have_text("30 credits")
    regular.button("Upload and check").click()
    regular.button("Start").click()
    regular.sees_report()
    regular.button("Clean my data").click()
    regular.sees("What shall we do with your data?")
    expect(regular.page.get_by_role("radio", name="Clean my data")).to_be_checked()
    expect(regular.page.get_by_test_id("file")).to_have_text("cities.csv")
    expect(regular.page.get_by_role("checkbox", name="Null handler")).to_be_checked()
    expect(regular.page.get_by_role("checkbox", name="Outlier remover")).not_to_be_checked()
    regular.is_content()


def test_an_option_out_of_its_range_is_told_and_a_task_left_at_its_price_is_removed(customer: Visitor) -> None:
    customer.drops("people.csv", b"name,name,age\nAda,Ada,36\n")
    customer.page.get_by_text("6 options").first.click()
    customer.page.get_by_label("Null alert threshold").fill("400")
    customer.button("Upload and check").click()
    expect(customer.page.locator(".fault").filter(has_text="From 0 to 100.")).to_be_visible()
    expect(customer.page.get_by_role("alert").filter(has_text="Unified profiler")).to_be_in_viewport()
    customer.page.get_by_label("Null alert threshold").fill("40")
    customer.button("Upload and check").click()
    expect(customer.page.get_by_test_id("quote")).to_be_visible()
    assert len(customer.ask("/tasks")["tasks"]) == 1
    with customer.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        customer.goes_to("/credits")
    assert customer.ask("/tasks")["tasks"] == []
    customer.is_content()
