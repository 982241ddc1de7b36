"""Every failure leaves the house as RFC 9457 problem+json; internal detail goes to the log only."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.schemas import Problem
from backend.errors import (
    AgensiumError,
    BadRequest,
    BodyTooLarge,
    ErrorClass,
    InternalError,
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Verdict,
)
from backend.log_fields import noted
from backend.logs import log
from backend.storage.faults import StorageError
from backend.verdicts import verdict_for
from db.database import DatabaseError

PROBLEM_JSON = "application/problem+json"
MOST_FAULTS_TOLD = 100  # of one body; two megabytes of them were eleven of answer, and seconds of everybody's time
_STATUS_OF_CLASS = {ErrorClass.TRANSIENT: 503}
_BY_HTTP_STATUS: Mapping[int, type[AgensiumError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}


def install(app: FastAPI) -> None:
    """The handlers: our errors, the framework's, and everybody else's by its verdict."""
    app.add_exception_handler(AgensiumError, _ours)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _the_routers)
    for kind in (DatabaseError, *StorageError, Exception):  # the named ones are answered without a traceback
        app.add_exception_handler(kind, _foreign)


def problem(verdict: Verdict, status: int) -> JSONResponse:
    body = problem_body(verdict, status).model_copy(update={"request_id": noted().get("request_id")})
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        headers["Retry-After"] = str(max(1, math.ceil(verdict.retry_after or 1)))
    return JSONResponse(jsonable_encoder(body), status, headers, media_type=PROBLEM_JSON)


def problem_body(verdict: Verdict, status: int) -> Problem:
    return Problem(
        type=f"urn:agensium:error:{verdict.error_code.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=verdict.message,
        error_code=verdict.error_code,
        next_action=verdict.next_action,
        context=dict(verdict.context),
    )


def problems(*kinds: type[AgensiumError], signed_in: bool = True) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: what can go wrong there, with an example of each."""
    documented: dict[int | str, dict[str, Any]] = {}
    every: tuple[type[AgensiumError], ...] = (*kinds, Unauthenticated, TooManyRequests) if signed_in else kinds
    for kind in every:
        entry = documented.setdefault(
            kind.http_status, {"description": "", "content": {PROBLEM_JSON: {"examples": {}}}}
        )
        example = problem_body(kind().verdict, kind.http_status).model_dump()
        entry["content"][PROBLEM_JSON]["schema"] = {"$ref": "#/components/schemas/Problem"}
        entry["content"][PROBLEM_JSON]["examples"][kind.error_code] = {"value": example}
        entry["description"] = " ".join([entry["description"], kind.message]).strip()
    return documented


def _ours(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, AgensiumError):  # the router promises it; mypy cannot know
        return _foreign(_request, error)
    return problem(error.verdict, error.http_status)


def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    fields = [{"field": _field(fault["loc"]), "message": fault["msg"]} for fault in faults[:MOST_FAULTS_TOLD]]
    sentence = "; ".join(f"{fault['field']}: {fault['message']}" for fault in fields[:3])
    return problem(BadRequest(sentence, fields=fields).verdict, BadRequest.http_status)


def _field(loc: tuple[Any, ...]) -> str:
    """`("body", "files", "primary")` → `files.primary`."""
    return ".".join(str(part) for part in loc[1:]) or str(loc[0])


def _the_routers(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else BadRequest.http_status
    if status == HTTPStatus.BAD_REQUEST:  # a body that is no text: as one that is no JSON
        status = BadRequest.http_status
    response = problem(_BY_HTTP_STATUS.get(status, BadRequest)().verdict, status)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _foreign(request: Request, error: Exception) -> JSONResponse:
    verdict = verdict_for(error)
    status = _STATUS_OF_CLASS.get(verdict.error_class, InternalError.http_status)
    if status == InternalError.http_status:
        log().error("request failed", route=_route(request), detail=verdict.detail, exc_info=error)
        return problem(InternalError().verdict, status)
    log().warning("request met a hiccup", route=_route(request), detail=verdict.detail)
    return problem(verdict, status)


def _route(request: Request) -> str:
    """Without what stands in its holes: a customer's names."""
    return getattr(request.scope.get("route"), "path", "(none)")
