"""`python -m bench.batch`: how near a batch comes to what its slots and its model could do at best.

The product as it runs (API, one worker of two slots, fifty calls at once in each), a scripted model in a process of its
own that takes 50 ms for every call, and one batch of 10,000 items: 5 s at best. About half a minute.
"""

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import httpx
import psutil

from backend.chaos.deployment import Deployment
from backend.clock import monotonic
from backend.devstack import embedded_stack
from backend.ports import free_port
from backend.processes import Process
from backend.product import answers

ITEMS = 10_000
MILLISECONDS = 50
SLOTS = 2
AT_ONCE = 50
SHARE = 0.9  # of the ideal, from the first call to the last
PATIENCE = 120.0
LOOK_SECONDS = 0.5


def main() -> int:
    with tempfile.TemporaryDirectory() as directory, embedded_stack(Path(directory)) as stack:
        from db.schema import migrate

        migrate(stack.database_url)
        port = free_port()
        house = Deployment(stack, "prefork", Path(directory), stack.database_url, _settings(port))
        model = house.process("model", "tests.model_server", "--port", str(port), "--delay", str(MILLISECONDS))
        try:
            model.start()
            model.wait_until(lambda: answers(f"http://127.0.0.1:{port}"), PATIENCE)
            house.open()
            found = _measured(house, model, port)
        finally:
            house.close()
            model.kill()
    print(json.dumps(found, indent=2))
    held = found["share_of_the_ideal"] >= SHARE and found["answered_in_order"]
    print(f"{'held ' if held else 'MISSED'} ≥ {100 * SHARE:.0f} % of the ideal, all answered, in order")
    return 0 if held else 1


def _settings(port: int) -> dict[str, str]:
    return {
        "MODELS": "compatible:echo",
        "COMPATIBLE_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "MODEL_CALLS_AT_ONCE": str(AT_ONCE),
        "CELERY_WORKER_CONCURRENCY": str(SLOTS),
        "SIGNUP_CREDITS": "1000000",
    }


def _measured(house: Deployment, model: Process, port: int) -> dict[str, Any]:
    model_url, load = f"http://127.0.0.1:{port}", psutil.getloadavg()[0]
    with httpx.Client(base_url=house.api_url, timeout=60) as http:
        _register(http)
        _batch(http, 2000)  # what each slot loads once is loaded
        httpx.post(f"{model_url}/count-anew")
        busy, model_busy = _busy(house.worker.pid), _busy(model.pid)
        lines, seconds = _batch(http, ITEMS)
        busy, model_busy = _busy(house.worker.pid) - busy, _busy(model.pid) - model_busy
    counts = httpx.get(model_url).json()
    ideal = ITEMS * MILLISECONDS / 1000 / (SLOTS * AT_ONCE)
    return {
        "load_average": [round(load, 1), round(psutil.getloadavg()[0], 1)],
        "first_call_to_last_seconds": round(counts["seconds"], 2),
        "share_of_the_ideal": round(ideal / counts["seconds"], 3),
        "submit_to_end_seconds": round(seconds, 2),
        "calls": counts["calls"],
        "most_at_once": counts["most_at_once"],
        "worker_cpu_ms_a_call": round(1000 * busy / ITEMS, 3),
        "model_cpu_ms_a_call": round(1000 * model_busy / ITEMS, 3),
        "answered_in_order": [(line["position"], line["content"]) for line in lines]
        == [(n, _words(n)) for n in range(ITEMS)],
    }


def _register(http: httpx.Client) -> None:
    account = {"email": "bench@example.com", "password": "correct horse battery staple"}
    token = http.post("/auth/register", json=account).raise_for_status().json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"


def _batch(http: httpx.Client, items: int) -> tuple[list[dict[str, Any]], float]:
    """The lines of its answers, and the seconds from the submit to the end."""
    body = json.dumps([{"custom_id": f"id-{n}", "user_message": _words(n)} for n in range(items)]).encode()
    task_id = http.post("/tasks", json={"tool_id": "batch-inference"}).raise_for_status().json()["task_id"]
    files = {"items": {"filename": "items.json", "content_type": "application/json", "size": len(body)}}
    links = http.post(f"/tasks/{task_id}/upload-urls", json={"files": files}).raise_for_status().json()
    link = links["uploads"]["items"]
    httpx.post(link["url"], data=link["fields"], files={"file": ("items.json", body)}).raise_for_status()
    began = monotonic()
    http.post(f"/tasks/{task_id}/process", json={}).raise_for_status()
    pause = threading.Event()
    while (task := http.get(f"/tasks/{task_id}").json())["status"] != "COMPLETED":
        pause.wait(LOOK_SECONDS)
        if task["status"] in {"FAILED", "CANCELLED"} or monotonic() - began > PATIENCE:
            raise SystemExit(f"the batch did not complete: {task}")
    seconds = monotonic() - began
    outputs = {file["name"]: file for file in http.get(f"/tasks/{task_id}/outputs").json()["outputs"]}
    lines = httpx.get(outputs["answers.jsonl"]["url"]).content.splitlines()
    return [json.loads(line) for line in lines], seconds


def _words(number: int) -> str:
    return f"What is the capital of the country with the number {number}, and since when?"


def _busy(pid: int) -> float:
    """CPU seconds so far, of the process and all that it started."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(times.user + times.system for times in (process.cpu_times() for process in family))


if __name__ == "__main__":
    sys.exit(main())
