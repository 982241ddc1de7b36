"""The OpenAPI document says what the house does: errors are problem+json, and nothing else."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.error_responses import PROBLEM_JSON, problems
from api.schemas import Problem
from api.scopes import scope_needed
from backend.errors import ScopeTooSmall
from db.models import Scope

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
            # a copy: the routes, which all apps of a process share, lent parts of theirs
            self.openapi_schema = _with_problems(deepcopy(super().openapi()))
        return self.openapi_schema


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _mend_refusal(operation["responses"])
            if "security" in operation and scope_needed(method.upper(), path) is not Scope.READ:
                _add_scope(operation["responses"])
    return document


def _add_scope(responses: dict[str, Any]) -> None:
    """What a key of a smaller scope is answered, wherever one may be asked for more than it has."""
    for status, mine in problems(ScopeTooSmall, signed_in=False).items():
        said = responses.setdefault(str(status), {"description": "", "content": mine["content"]})
        said["description"] = " ".join([said["description"], ScopeTooSmall.message]).strip()
        said["content"][PROBLEM_JSON]["examples"].update(mine["content"][PROBLEM_JSON]["examples"])


def _mend_refusal(responses: dict[str, Any]) -> None:
    content = responses.get(_REFUSED, {}).get("content", {})
    if PROBLEM_JSON not in content and content:
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        responses[_REFUSED] = {"description": "The request is not valid.", "content": {PROBLEM_JSON: problem}}
