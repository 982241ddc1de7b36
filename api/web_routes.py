"""The web page: what lies in `api/web/`, as it is, and nothing else. No build, no template, no word of a customer.

The page may run scripts and load styles from this origin only, and may send what it knows nowhere else.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import RedirectResponse

from backend.errors import NotFound
from backend.release import release
from backend.settings import get_settings

router = APIRouter(include_in_schema=False)
PACKAGED = Path(__file__).parent / "web"
EXAMPLE = Path(__file__).parents[1] / "examples" / "data" / "hospitals.csv"  # in a checkout; a wheel has none
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}  # what is of no such type (a README, a licence) is not served
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",  # kept, and asked for again: a new release is seen at once, for a 304 otherwise
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
IfNoneMatch = Annotated[str | None, Header()]


@router.api_route("/", methods=["GET", "HEAD"])
def get_page(if_none_match: IfNoneMatch = None) -> Response:
    return _answer(_files()["index.html"], if_none_match)


@router.api_route("/docs", methods=["GET", "HEAD"])
def get_description() -> Response:
    """The HTTP interface, to read and to try: Swagger UI of this origin."""
    return RedirectResponse("/web/docs.html")


@router.get("/web/about")
def about() -> dict[str, Any]:
    """What the page shows to somebody who is not signed in yet."""
    return {
        "version": release(),
        "signup_credits": get_settings().signup_credits,
        "example": f"/web/{EXAMPLE.name}" if EXAMPLE.name in _files() else None,
    }


@router.api_route("/web/{name:path}", methods=["GET", "HEAD"])
def get_file(name: str, if_none_match: IfNoneMatch = None) -> Response:
    path = _files().get(name)
    if path is None:
        raise NotFound
    return _answer(path, if_none_match)


@lru_cache(maxsize=1)
def _files() -> Mapping[str, Path]:
    """By name, every file that may be asked for: a name is looked up, never made into a path."""
    found = {path.relative_to(PACKAGED).as_posix(): path for path in PACKAGED.rglob("*") if path.suffix in TYPES}
    return {**found, EXAMPLE.name: EXAMPLE} if EXAMPLE.is_file() else found


def _answer(path: Path, if_none_match: str | None) -> Response:
    body = path.read_bytes()
    headers = {**HEADERS, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in (if_none_match or ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=TYPES[path.suffix], headers=headers)
