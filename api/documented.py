"""The OpenAPI document says what the house does: errors are problem+json, and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.error_responses import PROBLEM_JSON
from api.schemas import Problem

_REFUSED = "422"
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


class DocumentedApi(FastAPI):
    """FastAPI, whose document names our problems instead of the framework's validation errors.

    `surroundings` lie around everything, also around what answers for an error that nobody foresaw; the last is the
    outermost.
    """

    def __init__(self, *, surroundings: Sequence[Callable[[ASGIApp], ASGIApp]] = (), **options: Any) -> None:
        super().__init__(**options)
        self._surroundings = surroundings

    def build_middleware_stack(self) -> ASGIApp:
        app = super().build_middleware_stack()
        for surround in self._surroundings:
            app = surround(app)
        return app

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = _with_problems(super().openapi())
        return self.openapi_schema


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path in document["paths"].values():
        for operation in path.values():
            _mend_refusal(operation["responses"])
    return document


def _mend_refusal(responses: dict[str, Any]) -> None:
    content = responses.get(_REFUSED, {}).get("content", {})
    if PROBLEM_JSON not in content and content:
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        responses[_REFUSED] = {"description": "The request is not valid.", "content": {PROBLEM_JSON: problem}}
