"""Language models on the page: prompts without a file, several documents, a batch as it goes, answers as text."""

import json
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.acceptance.house import TABLE
from tests.model_server import Act, ModelServer, failing
from tests.web.visitor import PATIENCE, Visitor

MARKUP = "<b>bold</b> <img src=x onerror=alert(1)> {{ 7 * 7 }}"


def choose(visitor: Visitor, tool: str) -> None:
    visitor.page.get_by_role("radio", name=tool).check(force=True)


def test_a_prompt_needs_no_file_and_its_answer_is_shown_as_text(customer: Visitor, models: ModelServer) -> None:
    models.forget()
    choose(customer, "Generate text")
    expect(customer.page.get_by_test_id("no-file")).to_be_visible()
    customer.page.get_by_label("Prompt", exact=True).fill(MARKUP)
    customer.page.get_by_label("Max tokens").fill("200")
    customer.button("Check the price").click()
    expect(customer.page.get_by_test_id("quote")).to_contain_text("At most")
    customer.button("Start").click()
    customer.sees_report()
    customer.opens_tab("Answers")
    answer = customer.page.get_by_test_id("answer")
    expect(answer.locator(".words")).to_have_text(MARKUP)
    expect(answer.locator("b, img")).to_have_count(0)
    customer.is_content()


def test_a_prompt_that_is_missing_is_told(customer: Visitor) -> None:
    choose(customer, "Generate text")
    customer.button("Check the price").click()
    expect(customer.page.get_by_role("alert")).to_contain_text("prompt")
    customer.is_content(but_for="422")


def test_several_documents_go_together(customer: Visitor) -> None:
    choose(customer, "Ingest documents")
    files: list[Any] = [
        {"name": name, "mimeType": "text/plain", "buffer": b"Some words about nothing in particular. " * 20}
        for name in ("a.txt", "b.md", "c.txt")
    ]
    chooser = customer.page.get_by_label("Choose files")
    chooser.set_input_files(files[:2])
    chooser.set_input_files(files[1:])
    expect(customer.page.get_by_test_id("files")).to_have_text("3 files")
    customer.button("Upload and check").click()
    expect(customer.page.get_by_test_id("quote")).to_contain_text("At most")
    customer.button("Start").click()
    customer.sees_state("Done")
    customer.sees_report()
    customer.goes_to("/search")
    customer.page.get_by_label("What to look for").fill("nothing in particular")
    customer.button("Search").click()
    expect(customer.page.get_by_test_id("hits")).to_contain_text("Some words about nothing in particular.")
    customer.is_content()


def test_a_tool_that_is_not_available_says_why_and_cannot_be_chosen(customer: Visitor) -> None:
    def without_models(route: Route) -> None:
        why = {"available": False, "unavailable_reason": "No language model is set up."}
        tools = customer.ask("/tools")["tools"]
        route.fulfill(json={"tools": [tool | (why if tool["tool_id"] == "generate-text" else {}) for tool in tools]})

    customer.page.route("**/tools", without_models)
    customer.page.reload()
    customer.sees("What shall we do with your data?")
    expect(customer.page.get_by_test_id("unavailable")).to_have_text("Not available here. No language model is set up.")
    expect(customer.page.get_by_role("radio", name="Generate text")).to_be_disabled()
    expect(customer.page.get_by_role("radio", name="Profile my data")).to_be_enabled()
    customer.is_content()


def test_a_batch_shows_its_items_while_it_goes_and_hands_out_what_is_there(
    regular: Visitor, models: ModelServer, tmp_path: Path
) -> None:
    models.forget()
    answered = threading.Event()
    models.script("slow", Act(held=answered))
    models.script("refused", failing(400, None))
    words = [MARKUP, "refused", *(f"question {number}" for number in range(10)), "slow"]
    body = "".join(json.dumps({"custom_id": f"id-{n}", "user_message": word}) + "\n" for n, word in enumerate(words))
    task_id = regular.submit("batch-inference", body.encode(), "items.jsonl", "items")
    regular.goes_to(f"/tasks/{task_id}")
    expect(regular.page.get_by_test_id("items")).to_contain_text("of 13 items", timeout=PATIENCE)
    expect(regular.page.get_by_role("cell", name=MARKUP)).to_be_visible(timeout=PATIENCE)
    expect(regular.page.get_by_test_id("items-failed")).to_have_text("1 failed", timeout=PATIENCE)
    with regular.page.expect_download() as download:
        regular.button("Download so far").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["content"] == MARKUP
    assert lines[1]["error"]["code"] == "MODEL_REFUSED"
    answered.set()
    regular.sees_state("Done in part")
    regular.sees_report()
    regular.opens_tab("Answers")
    expect(regular.page.get_by_role("cell", name=MARKUP)).to_be_visible()
    regular.opens_tab("Files")
    answers = regular.downloads("answers.jsonl", tmp_path).read_text().splitlines()
    assert [json.loads(line)["custom_id"] for line in answers] == [f"id-{n}" for n in range(13)]
    expect(regular.button("Retry from where it stopped")).to_be_visible()
    regular.is_content()


def test_text_is_shown_while_it_is_written_and_never_as_markup(regular: Visitor) -> None:
    """The stream is ours here; a text that begins at 0 begins anew."""
    task_id = regular.submit("probe", TABLE, parameters={"second": {"act": "wait", "seconds": 60}})
    view = regular.ask(f"/tasks/{task_id}")

    asked: list[Route] = []

    def told(route: Route) -> None:
        asked.append(route)
        texts = (("Forget th", 0), ("is.", 9), ("<b>An", 0), ("swer</b>", 5))
        blocks = [f"retry: 1000\n\nevent: snapshot\nid: 1\ndata: {json.dumps(view)}\n\n"]
        for number, (text, at) in enumerate(texts):
            data = {"seq": number + 2, "kind": "text", "data": {"text": text, "at": at}}
            blocks.append(f"event: text\nid: {number + 2}\ndata: {json.dumps(data)}\n\n")
        if len(asked) > 1:
            route.continue_()
            return
        route.fulfill(body="".join(blocks), content_type="text/event-stream")

    regular.page.route("**/events", told)
    regular.goes_to(f"/tasks/{task_id}")
    expect(regular.page.get_by_test_id("text")).to_have_text("<b>Answer</b>")
    expect(regular.page.get_by_test_id("text").locator("b")).to_have_count(0)
    regular.button("Cancel").click()
    regular.sees_state("Cancelled")
    regular.is_content()
