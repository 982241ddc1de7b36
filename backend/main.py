"""`uvicorn backend.main:app`: assembles the HTTP app, and nothing else."""

from backend import calm_start

# isort: split
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api import (
    account_routes,
    admin_routes,
    auth_routes,
    batch_routes,
    collection_routes,
    error_responses,
    event_routes,
    health_routes,
    input_routes,
    output_routes,
    quote_routes,
    result_routes,
    retry_routes,
    submit_routes,
    task_routes,
    tool_routes,
    upload_routes,
    web_routes,
    webhook_routes,
)
from api.documented import DocumentedApi
from api.edge import BoundBodies, surroundings
from api.following import Hub, ends_with_its_process
from api.loop_lag import measured_lag
from api.metrics import CountRequests
from api.polling import PollsFromMemory
from api.rate_limits import Buckets
from api.tracked import TrackedRequests, access_log_wanted
from backend import traces
from backend.logs import configure_logs
from backend.release import release
from backend.settings import get_settings
from db.database import close_database
from transformers.catalog import tools

ROUTES = (
    auth_routes,
    account_routes,
    tool_routes,
    task_routes,
    event_routes,
    batch_routes,
    upload_routes,
    input_routes,
    quote_routes,
    submit_routes,
    retry_routes,
    result_routes,
    output_routes,
    collection_routes,
    webhook_routes,
    admin_routes,
    health_routes,
    web_routes,
)
DESCRIPTION = """Upload data, ask a tool to work on it, follow the task, fetch the report.

1. `POST /auth/register`, then send `Authorization: Bearer <access_token>`.
2. `POST /tasks`, `POST /tasks/{task_id}/upload-urls`, upload each file to its form.
3. `POST /tasks/{task_id}/process`, then follow `GET /tasks/{task_id}/events`, or poll
   `GET /tasks/{task_id}` with `If-None-Match` (and `?wait=20`).
4. `GET /tasks/{task_id}/report` and `/outputs`.
5. Where a task failed: `POST /tasks/{task_id}/retry` goes on from its finished agents.

Every error is `application/problem+json` with an `error_code` and a next action.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    traces.begin("agensium-api")
    tools()  # a broken catalogue stops the process here, not at a customer's request
    with ends_with_its_process(app.state.hub):
        async with measured_lag():
            yield
    close_database()
    await run_in_threadpool(traces.end)


def create_app() -> FastAPI:
    settings = get_settings()
    app = DocumentedApi(
        surroundings=(*surroundings(settings), partial(TrackedRequests, told=access_log_wanted())),
        title="Agensium",
        version=release(),
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,  # web_routes.py serves the description without another origin
    )
    app.state.hub = Hub()
    app.state.buckets = Buckets(settings.requests_per_second, settings.requests_at_once)
    error_responses.install(app)
    for room in ROUTES:
        app.include_router(room.router)
    app.add_middleware(PollsFromMemory)  # the innermost layer
    app.add_middleware(BoundBodies)
    app.add_middleware(CountRequests)
    return app


app = create_app()
configure_logs()  # here, not when it begins: the server has told something by then
calm_start.over()
