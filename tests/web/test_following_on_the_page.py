"""Watching a task: by its stream, without it, stopped, and gone on with."""

import json
import re
from pathlib import Path

from playwright.sync_api import Request, Route, expect

from tests.acceptance.house import TABLE
from tests.web.visitor import PATIENCE, Visitor

WAITS = {"first": {"act": "wait", "seconds": 2}}
WAITS_LONG = {"second": {"act": "wait", "seconds": 60}}


def test_steps_and_progress_are_seen_as_they_come(customer: Visitor) -> None:
    task_id = customer.submit("probe", TABLE, parameters=WAITS)
    streams = []
    customer.page.on("response", lambda answer: streams.append(answer) if answer.url.endswith("/events") else None)
    customer.goes_to(f"/tasks/{task_id}")
    expect(customer.page.locator(".step.running")).to_contain_text("First", timeout=PATIENCE)
    expect(customer.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"[1-9]"))
    customer.sees_state("Done")
    assert [answer.headers["content-type"].split(";")[0] for answer in streams] == ["text/event-stream"]
    customer.is_content()


def test_without_a_stream_the_page_polls(customer: Visitor) -> None:
    customer.page.route("**/events", lambda route: route.fulfill(status=404, body="", content_type="text/plain"))
    task_id = customer.submit("probe", TABLE, parameters=WAITS)
    customer.page.route(f"**/tasks/{task_id}", lambda route: route.abort())
    customer.goes_to(f"/tasks/{task_id}")
    expect(customer.page.get_by_text("The connection is lost")).to_be_visible()
    customer.page.unroute(f"**/tasks/{task_id}")
    customer.sees_state("Done")
    expect(customer.page.get_by_text("The connection is lost")).to_be_hidden()
    customer.sees_report()
    customer.is_content(but_for="Failed to load resource")


def test_a_stream_that_breaks_is_taken_up_where_it_ended(customer: Visitor) -> None:
    """The first answer is cut after its snapshot; the next request names the last event that was seen."""
    asked = []

    def cut_once(route: Route, request: Request) -> None:
        asked.append(request.headers.get("last-event-id"))
        if len(asked) > 1:
            route.continue_()
            return
        view = customer.ask(request.url.removeprefix(customer.origin).removesuffix("/events"))
        body = f"retry: 1000\n\nevent: snapshot\nid: 1\ndata: {json.dumps(view)}\n\n"
        route.fulfill(body=body, content_type="text/event-stream")

    customer.page.route("**/events", cut_once)
    task_id = customer.submit("probe", TABLE, parameters=WAITS)
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_state("Done")
    assert asked[:2] == [None, "1"]
    customer.is_content()


def test_a_task_is_cancelled_and_gone_on_with(customer: Visitor) -> None:
    task_id = customer.submit("probe", TABLE, parameters=WAITS_LONG)
    customer.goes_to(f"/tasks/{task_id}")
    expect(customer.page.locator(".step.running")).to_contain_text("Second", timeout=PATIENCE)
    customer.button("Cancel").click()
    customer.sees_state("Cancelled")
    customer.button("Retry from where it stopped").click()
    expect(customer.page).not_to_have_url(re.compile(task_id))
    expect(customer.page.locator(".step.delivered")).to_contain_text("First", timeout=PATIENCE)
    expect(customer.page.locator(".step.running")).to_contain_text("Second", timeout=PATIENCE)
    customer.button("Cancel").click()
    customer.sees_state("Cancelled")
    customer.is_content()


def test_a_task_that_waits_says_why(customer: Visitor) -> None:
    busy = customer.submit("probe", TABLE, parameters=WAITS_LONG)
    task_id = customer.submit("probe", TABLE)
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_state("Waiting")
    expect(customer.page.get_by_test_id("waiting")).not_to_be_empty()
    customer.goes_to(f"/tasks/{busy}")
    customer.button("Cancel").click()
    customer.sees_state("Cancelled")
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_state("Done")
    customer.is_content()


def test_a_failure_is_told_with_what_to_do(customer: Visitor, tmp_path: Path) -> None:
    task_id = customer.submit("probe", TABLE, parameters={"first": {"act": "blame"}})
    customer.goes_to(f"/tasks/{task_id}")
    customer.sees_state("Failed")
    told = customer.page.get_by_test_id("error")
    expect(told).to_contain_text("Row 3 cannot be read.")
    expect(told).not_to_contain_text("the probe said so")
    customer.is_content()


def test_a_task_of_somebody_else_is_not_there(customer: Visitor) -> None:
    customer.goes_to("/tasks/7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11")
    customer.sees("There is no such task.")
    customer.is_content(but_for="404")
