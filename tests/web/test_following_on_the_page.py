"""Watching a task: by its stream, without it, stopped, and gone on with."""

import json
import re
from pathlib import Path

from playwright.sync_api import Request, Route, expect

from tests.acceptance.house import TABLE
from tests.web.visitor import PATIENCE, Visitor

WAITS = {"first": {"act": "wait", "seconds": 2}}
WAITS_LONG = {"second": {"act": "wait", "seconds": 60}}


def test_steps_and_progress_are_seen_as_they_come(regular: Visitor) -> None:
    task_id = regular.submit("probe", TABLE, parameters=WAITS)
    streams = []
    regular.page.on("response", lambda answer: streams.append(answer) if answer.url.endswith("/events") else None)
    regular.goes_to(f"/tasks/{task_id}")
    expect(regular.page.locator(".step.running")).to_contain_text("First", timeout=PATIENCE)
    expect(regular.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"[1-9]"))
    regular.sees_state("Done")
    assert [answer.headers["content-type"].split(";")[0] for answer in streams] == ["text/event-stream"]
    regular.is_content()


def test_without_a_stream_the_page_polls(regular: Visitor) -> None:
    regular.page.route("**/events", lambda route: route.fulfill(status=404, body="", content_type="text/plain"))
    task_id = regular.submit("probe", TABLE, parameters=WAITS)
    regular.page.route(f"**/tasks/{task_id}", lambda route: route.abort())
    regular.goes_to(f"/tasks/{task_id}")
    expect(regular.page.get_by_text("The connection is lost")).to_be_visible()
    regular.page.unroute(f"**/tasks/{task_id}")
    regular.sees_state("Done")
    expect(regular.page.get_by_text("The connection is lost")).to_be_hidden()
    regular.sees_report()
    regular.is_content(but_for="Failed to load resource")


def test_a_stream_that_breaks_is_taken_up_where_it_ended(regular: Visitor) -> None:
    """The first answer is cut after its snapshot; the next request names the last event that was seen."""
    asked = []

    def cut_once(route: Route, request: Request) -> None:
        asked.append(request.headers.get("last-event-id"))
        if len(asked) > 1:
            route.continue_()
            return
        view = regular.ask(request.url.removeprefix(regular.origin).removesuffix("/events"))
        body = f"retry: 1000\n\nevent: snapshot\nid: 1\ndata: {json.dumps(view)}\n\n"
        route.fulfill(body=body, content_type="text/event-stream")

    regular.page.route("**/events", cut_once)
    task_id = regular.submit("probe", TABLE, parameters=WAITS)
    regular.goes_to(f"/tasks/{task_id}")
    regular.sees_state("Done")
    assert asked[:2] == [None, "1"]
    regular.is_content()


def test_a_task_is_cancelled_and_gone_on_with(regular: Visitor) -> None:
    task_id = regular.submit("probe", TABLE, parameters=WAITS_LONG)
    regular.goes_to(f"/tasks/{task_id}")
    expect(regular.page.locator(".step.running")).to_contain_text("Second", timeout=PATIENCE)
    regular.button("Cancel").click()
    regular.sees_state("Cancelled")
    regular.button("Retry from where it stopped").click()
    expect(regular.page).not_to_have_url(re.compile(task_id))
    expect(regular.page.locator(".step.delivered")).to_contain_text("First", timeout=PATIENCE)
    expect(regular.page.locator(".step.running")).to_contain_text("Second", timeout=PATIENCE)
    regular.button("Cancel").click()
    regular.sees_state("Cancelled")
    regular.is_content()


def test_a_task_that_waits_says_why(regular: Visitor) -> None:
    busy = regular.submit("probe", TABLE, parameters=WAITS_LONG)
    task_id = regular.submit("probe", TABLE)
    regular.goes_to(f"/tasks/{task_id}")
    regular.sees_state("Waiting")
    expect(regular.page.get_by_test_id("waiting")).not_to_be_empty()
    regular.goes_to(f"/tasks/{busy}")
    regular.button("Cancel").click()
    regular.sees_state("Cancelled")
    regular.goes_to(f"/tasks/{task_id}")
    regular.sees_state("Done")
    regular.is_content()


def test_a_failure_is_told_with_what_to_do(regular: Visitor, tmp_path: Path) -> None:
    task_id = regular.submit("probe", TABLE, parameters={"first": {"act": "blame"}})
    regular.goes_to(f"/tasks/{task_id}")
    regular.sees_state("Failed")
    told = regular.page.get_by_test_id("error")
    expect(told).to_contain_text("Row 3 cannot be read.")
    expect(told).not_to_contain_text("the probe said so")
    regular.is_content()


def test_a_task_of_somebody_else_is_not_there(regular: Visitor) -> None:
    regular.goes_to("/tasks/7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11")
    regular.sees("There is no such task.")
    regular.is_content(but_for="404")
