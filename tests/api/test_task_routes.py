import re
import uuid

import pytest
from hall_client import TRIAL, Customer, Hall, problem_of
from task_lives import claimed, deliver, settle

from backend.errors import TimeLimit
from db import checkpoints, claims, moves, task_store
from db.checkpoints import Checkpoint
from db.database import transaction
from db.endings import Ending
from db.events import EventKind
from db.models import StepStatus, Task, TaskStatus

NO_UUID = ["1", "not-a-uuid", "7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b1", "%00"]


def states(view: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {step["agent_id"]: step["state"] for step in view["steps"]}


def test_a_new_task_is_created_and_costs_nothing(customer: Customer) -> None:
    answer = customer.post("/tasks", {"tool_id": "trial", "agents": ["rater"], "parameters": {"rater": {"top": 5}}})

    view = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/tasks/{view['task_id']}"
    assert (view["status"], view["progress"], view["agents"]) == ("CREATED", 0, ["rater"])
    assert view["parameters"] == {"rater": {"top": 5}}
    assert view["credits"] == {"held": 0, "captured": 0, "released": 0}
    assert customer.balance() == 500


def test_a_task_may_go_before_the_customers_other_ones(customer: Customer) -> None:
    assert customer.get(f"/tasks/{customer.create()}").json()["priority"] == 0
    urgent = customer.post("/tasks", {"tool_id": "trial", "priority": 3}).json()
    assert urgent["priority"] == 3
    with transaction() as session:
        assert session.get_one(Task, uuid.UUID(urgent["task_id"])).priority == 3


def test_a_task_without_chosen_agents_shows_all_that_may_run(customer: Customer) -> None:
    view = customer.get(f"/tasks/{customer.create()}").json()

    assert states(view) == {"counter": "pending", "comparer": "pending", "rater": "pending"}
    assert [step["price"] for step in view["steps"]] == [30, 40, 25]


REFUSED = [
    ({"tool_id": "no-such-tool"}, "UNKNOWN_TOOL"),
    ({"agents": ["nobody"]}, "UNKNOWN_AGENT"),
    ({"agents": ["rater", "rater"]}, "UNKNOWN_AGENT"),
    ({"parameters": {"nobody": {}}}, "UNKNOWN_AGENT"),
    ({"parameters": {"rater": {"top": 11}}}, "BAD_PARAMETERS"),
    ({"parameters": {"rater": {"top": "many"}}}, "BAD_PARAMETERS"),
    ({"parameters": {"rater": {"topp": 1}}}, "BAD_PARAMETERS"),
    ({"parameters": {"rater": 1}}, "BAD_REQUEST"),
    ({"parameters": []}, "BAD_REQUEST"),
    ({"priority": 11}, "BAD_REQUEST"),
    ({"priority": "first"}, "BAD_REQUEST"),
    ({"agents": "rater"}, "BAD_REQUEST"),
    ({"agent": ["rater"]}, "BAD_REQUEST"),
    ({"tool_id": ""}, "BAD_REQUEST"),
    ({"tool_id": None}, "BAD_REQUEST"),
    ({"parameters": {"rater": {"label": "\0"}}}, "BAD_REQUEST"),
]


def test_a_task_that_could_not_run_is_refused_at_once(customer: Customer) -> None:
    for asked, error_code in REFUSED:
        problem = problem_of(customer.post("/tasks", {"tool_id": TRIAL.id, **asked}), 422)
        assert problem["error_code"] == error_code, asked

    assert customer.get("/tasks").json()["tasks"] == []


def test_a_bad_parameter_is_named_with_its_agent(customer: Customer) -> None:
    problem = problem_of(customer.post("/tasks", {"tool_id": "trial", "parameters": {"rater": {"top": 0}}}), 422)

    assert problem["context"] == {"agent": "rater", "field": "top"}
    assert "top" in problem["detail"]


NO_GOOD_JSON = [
    b"{", b"[]", b"null", b'"text"', b"\xff", b'{"tool_id": "trial", "parameters": {"rater": {"label": "\\ud800"}}}',
    b'{"tool_id": "trial", "parameters": {"rater": {"top": NaN}}}', b"[" * 100_000,
    b'{"tool_id": "trial", "parameters": {"rater": {"label": ' + b"[" * 200 + b"]" * 200 + b"}}}",
]  # fmt: skip


def test_a_body_that_is_no_good_json_is_the_senders_fault(customer: Customer) -> None:
    for body in NO_GOOD_JSON:
        answer = customer.send("POST", "/tasks", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, body[:80]
        assert problem_of(answer, answer.status_code)["error_code"] == "BAD_REQUEST"


def test_tasks_come_newest_first_and_page_by_page(customer: Customer) -> None:
    made = [customer.create() for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = customer.get("/tasks", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["tasks"]) <= 2
        seen += [task["task_id"] for task in page["tasks"]]
        if (cursor := page["next"]) is None:
            break

    assert seen == made[::-1]


def test_tasks_can_be_picked_by_status_and_tool(customer: Customer) -> None:
    cancelled, created = customer.create(), customer.create()
    customer.post(f"/tasks/{cancelled}/cancel")

    def ids(**picked: str) -> list[str]:
        return [task["task_id"] for task in customer.get("/tasks", params=picked).json()["tasks"]]

    assert ids(status="CREATED") == [created]
    assert ids(status="CANCELLED", tool_id="trial") == [cancelled]
    assert ids(tool_id="profile-my-data") == []


def test_a_page_that_makes_no_sense_is_refused(customer: Customer) -> None:
    for query in ("status=DONE", "limit=0", "limit=101", "limit=x", "tool_id=%00"):
        problem_of(customer.get(f"/tasks?{query}"), 422)


def test_a_running_task_shows_whose_turn_it_is(customer: Customer) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    with transaction() as session:
        claims.begin_steps(session, claim, ["counter"])

    view = customer.get(f"/tasks/{task_id}").json()

    assert (view["status"], view["current_agent"]) == ("PROCESSING", "counter")
    assert states(view) == {"counter": "running", "rater": "pending"}
    assert view["started_at"] is not None


def test_a_delivered_step_is_shown_and_paid(customer: Customer) -> None:
    task_id = customer.queued()
    deliver(claimed(customer, task_id), "counter", amount=30, progress=50, next_agent="rater")

    view = customer.get(f"/tasks/{task_id}").json()

    assert states(view) == {"counter": "delivered", "rater": "running"}
    assert (view["steps"][0]["duration_ms"], view["progress"]) == (812, 50)
    assert view["credits"] == {"held": 55, "captured": 30, "released": 0}


def test_a_completed_task_with_a_failed_step_says_which_and_why(customer: Customer) -> None:
    task_id = customer.queued()
    claim = claimed(customer, task_id)
    deliver(claim, "counter", amount=30, progress=50)
    failed = Checkpoint("rater", StepStatus.FAILED, "print", 5, error_code="MEMORY_LIMIT", error_message="Too much.")
    with transaction() as session:
        checkpoints.record(session, claim, failed, amount=25, progress=100, next_agent=None)
    settle(claim, Ending("partial", "key/manifest.json"))

    view = customer.get(f"/tasks/{task_id}").json()

    assert (view["status"], view["outcome"], view["progress"], view["error"]) == ("COMPLETED", "partial", 100, None)
    assert (view["steps"][1]["state"], view["steps"][1]["error_code"]) == ("failed", "MEMORY_LIMIT")
    assert view["steps"][1]["message"] == "Too much."
    assert view["credits"] == {"held": 55, "captured": 30, "released": 25}
    assert customer.balance() == 470


def test_a_failed_task_says_what_to_do_and_never_the_detail(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending(verdict=TimeLimit(detail="/srv/scratch/secret").verdict))

    answer = customer.get(f"/tasks/{task_id}")

    assert answer.json()["error"] == {
        "error_code": "TIMEOUT",
        "message": TimeLimit.message,
        "next_action": TimeLimit.next_action,
        "recoverable": True,
    }
    assert states(answer.json()) == {"counter": "skipped", "rater": "skipped"}
    assert "secret" not in answer.text


def test_an_unchanged_task_is_304_without_a_body(customer: Customer) -> None:
    task_id = customer.queued()
    etag = customer.get(f"/tasks/{task_id}").headers["etag"]

    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = customer.get(f"/tasks/{task_id}", headers={"If-None-Match": asked})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


def test_the_etag_changes_with_everything_the_view_shows(customer: Customer) -> None:
    task_id = customer.create()
    seen: list[str] = []

    def look() -> None:
        answer = customer.get(f"/tasks/{task_id}", headers={"If-None-Match": seen[-1] if seen else '"none"'})
        assert answer.status_code == 200
        seen.append(answer.headers["etag"])

    look()
    customer.upload(task_id)
    customer.process(task_id)
    look()
    claim = claimed(customer, task_id)
    look()
    with transaction() as session:
        claims.begin_steps(session, claim, ["counter"])
    look()
    with transaction() as session:
        task_store.get(session, claim.task_id, customer.id).progress = 12.5
    look()
    deliver(claim, "counter", amount=30, progress=50)
    look()
    settle(claim, Ending("success", "key"))
    look()


def test_a_queued_task_is_cancelled_and_the_credits_are_back(customer: Customer) -> None:
    task_id = customer.queued()
    assert customer.balance() == 445

    view = customer.post(f"/tasks/{task_id}/cancel").json()

    assert view["status"] == "CANCELLED"
    assert view["error"]["error_code"] == "CANCELLED"
    assert view["credits"] == {"held": 55, "captured": 0, "released": 55}
    assert customer.balance() == 500


def test_cancelling_twice_answers_alike(customer: Customer) -> None:
    task_id = customer.queued()

    answers = [customer.post(f"/tasks/{task_id}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert customer.balance() == 500


def test_a_cancel_pays_what_was_delivered(customer: Customer) -> None:
    task_id = customer.queued()
    deliver(claimed(customer, task_id), "counter", amount=30, progress=50)

    view = customer.post(f"/tasks/{task_id}/cancel").json()

    assert view["credits"] == {"held": 55, "captured": 30, "released": 25}
    assert states(view) == {"counter": "delivered", "rater": "skipped"}


def test_a_finished_task_cannot_be_cancelled(customer: Customer) -> None:
    task_id = customer.queued()
    settle(claimed(customer, task_id), Ending("success", "key"))

    problem = problem_of(customer.post(f"/tasks/{task_id}/cancel"), 409)

    assert problem["error_code"] == "TASK_NOT_CANCELLABLE"


def test_an_expired_task_says_so(customer: Customer) -> None:
    task_id = customer.create()
    with transaction() as session:
        moves.move(session, uuid.UUID(task_id), TaskStatus.EXPIRED, EventKind.EXPIRED, {"error_code": "EXPIRED"})

    view = customer.get(f"/tasks/{task_id}").json()

    assert (view["status"], view["error"]["error_code"]) == ("EXPIRED", "EXPIRED")
    assert view["error"]["message"] == "The task was not started in time."


def test_a_task_of_a_tool_that_is_gone_can_still_be_looked_at(customer: Customer) -> None:
    task_id = customer.queued()
    with transaction() as session:
        session.query(Task).update({"tool_id": "gone"})

    view = customer.get(f"/tasks/{task_id}").json()

    assert [(step["agent_name"], step["price"]) for step in view["steps"]] == [("counter", 30), ("rater", 25)]


ROUTES = [
    ("GET", ""), ("DELETE", ""), ("POST", "/upload-urls"), ("POST", "/process"), ("POST", "/cancel"),
    ("POST", "/retry"), ("GET", "/report"), ("GET", "/outputs"),
    ("GET", "/events"), ("GET", "/outputs/report.json"), ("PUT", "/inputs/primary?filename=a.csv"),
    ("POST", "/uploads/primary/complete"), ("POST", "/quote"), ("GET", "/children"), ("GET", "/items"),
]  # fmt: skip
BODIES = {
    "/upload-urls": {"files": {"primary": {"filename": "a.csv", "size": 1}}},
    "/uploads/primary/complete": {"parts": []},
}


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_another_customers_task_is_not_there(customer: Customer, stranger: Customer, method: str, route: str) -> None:
    task_id = customer.ready()
    before = customer.get(f"/tasks/{task_id}").json()

    answer = stranger.send(method, f"/tasks/{task_id}{route}", json=BODIES.get(route))

    assert problem_of(answer, 404)["error_code"] == "TASK_NOT_FOUND"
    assert customer.get(f"/tasks/{task_id}").json() == before


def test_every_route_that_takes_a_task_id_is_asked_for_other_customers_tasks() -> None:
    from backend.main import app

    filled = {"{role}": "primary", "{name}": "report.json"}
    documented = {
        (method.upper(), re.sub(r"{\w+}", lambda hole: filled[hole[0]], path.removeprefix("/tasks/{task_id}")))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
        if "{task_id}" in path
    }
    assert documented == {(method, route.partition("?")[0]) for method, route in ROUTES}


def test_another_customers_tasks_are_not_listed(customer: Customer, stranger: Customer) -> None:
    customer.create()

    assert stranger.get("/tasks").json() == {"tasks": [], "next": None}


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_an_id_that_is_no_uuid_is_no_task(customer: Customer, method: str, route: str) -> None:
    for task_id in NO_UUID:
        answer = customer.send(method, f"/tasks/{task_id}{route}", json=BODIES.get(route))
        assert problem_of(answer, 404)["error_code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "route"),
    [("GET", ""), ("POST", ""), *[(method, f"/{uuid.UUID(int=7)}{route}") for method, route in ROUTES]],
)
def test_tasks_need_somebody_signed_in(lobby: Hall, method: str, route: str) -> None:
    problem_of(lobby.send(method, f"/tasks{route}"), 401)
