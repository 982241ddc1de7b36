"""docs/reference/http.md: every route of the API, from its own OpenAPI document."""

from typing import Any

from backend.main import app
from tests.docs.reference.wording import code, table

INTRO = """# The HTTP interface

The same as at `/docs`, which can be tried, and as `/openapi.json`, which programs read. Sign in with `Authorization:
Bearer` (an access token) or with an API key (`X-API-Key`); what changes something takes an `Idempotency-Key`, which
is good for 24 hours. Every answer that is no success is a [problem](errors.md). Any route may answer 401, 422
(`BAD_REQUEST`), 429 and 503, and one that takes a key `IDEMPOTENCY_MISMATCH` and `REQUEST_IN_FLIGHT`; those are not
repeated below.

"""
COMMON = {"NOT_AUTHENTICATED", "TOO_MANY_REQUESTS", "BAD_REQUEST", "IDEMPOTENCY_MISMATCH", "REQUEST_IN_FLIGHT"}
JSON = "application/problem+json"


def http_page() -> str:
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["more"])[0]
            by_tag.setdefault(tag, []).append(_row(method, path, operation))
    heads = ("route", "what it does", "answers", "errors of its own")
    return INTRO + "\n".join(f"## {tag}\n\n{table(heads, rows)}" for tag, rows in by_tag.items())


def _row(method: str, path: str, operation: dict[str, Any]) -> tuple[str, ...]:
    answers = operation["responses"]
    well = ", ".join(status for status in answers if status < "400")
    return code(f"{method.upper()} {path}"), operation.get("summary", ""), well, ", ".join(_codes(answers))


def _codes(answers: dict[str, Any]) -> list[str]:
    """The codes that its responses show, apart from those that any route has."""
    found = {
        name
        for response in answers.values()
        for name in response.get("content", {}).get(JSON, {}).get("examples", {})
    } - COMMON  # fmt: skip
    return [f"[{name}](errors.md#{name.lower()})" for name in sorted(found)]
