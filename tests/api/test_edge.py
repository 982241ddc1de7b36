from collections.abc import Iterator

import pytest
from hall_client import Hall

from api.edge import safe_headers
from backend.settings import Settings
from backend.storage.door import Storage
from tests.conftest import forget_settings

OURS = "https://app.example.com"


@pytest.fixture
def open_lobby(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """The hall with nothing behind it, which pages of another origin may use."""
    monkeypatch.setenv("CORS_ORIGINS", f"{OURS}, https://other.example.com")
    forget_settings()
    hall = Hall(Storage(Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:1")))
    yield hall
    hall.close()
    monkeypatch.undo()
    forget_settings()


@pytest.mark.parametrize("path", ["/healthz", "/tools", "/nothing", "/credits", "/openapi.json"])
def test_every_answer_tells_browsers_what_not_to_do(lobby: Hall, path: str) -> None:
    headers = lobby.send("GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_so_does_the_answer_to_an_error_that_nobody_foresaw(open_lobby: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tool_routes.tools", lambda: 1 / 0)
    answer = open_lobby.send("GET", "/tools", headers={"Origin": OURS})
    assert answer.status_code == 500
    assert answer.json()["error_code"] == "INTERNAL_ERROR"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["access-control-allow-origin"] == OURS


def test_the_page_has_a_policy_of_its_own(lobby: Hall) -> None:
    assert "script-src 'self'" in lobby.send("GET", "/").headers["content-security-policy"]


def test_production_is_https_for_good() -> None:
    settings = Settings(
        _env_file=None,
        environment="production",
        secret_key="x" * 32,
        redis_url="redis://r",
        database_url="postgresql://d",
    )
    assert safe_headers(settings)["Strict-Transport-Security"] == "max-age=31536000"


def test_pages_of_other_origins_may_not_ask_unless_a_setting_says_so(lobby: Hall) -> None:
    headers = {"Origin": OURS, "Access-Control-Request-Method": "POST"}
    answer = lobby.send("OPTIONS", "/tasks", headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in lobby.send("GET", "/tools", headers=headers).headers


def test_pages_of_named_origins_may_ask_and_read_what_they_need(open_lobby: Hall) -> None:
    asked = {
        "Origin": OURS,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, idempotency-key, if-none-match, last-event-id, content-type",
    }
    preflight = open_lobby.send("OPTIONS", "/tasks/x/inputs/primary", headers=asked)
    assert preflight.status_code == 200, preflight.text
    assert preflight.headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-credentials" not in preflight.headers
    answer = open_lobby.send("GET", "/tools", headers={"Origin": OURS})
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    stranger = open_lobby.send("GET", "/tools", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in stranger.headers


def test_the_description_of_the_interface_comes_from_this_origin(lobby: Hall) -> None:
    answer = lobby.send("GET", "/docs")
    assert (answer.status_code, answer.headers["location"]) == (307, "/web/docs.html")
    page = lobby.send("GET", "/web/docs.html").text
    assert "http" not in page.replace("http-equiv", "").replace("the HTTP interface", "")
    for name in ("vendor/swagger-ui/swagger-ui.js", "vendor/swagger-ui/swagger-ui.css", "scripts/docs.js"):
        assert f"/web/{name}" in page
        assert lobby.send("GET", f"/web/{name}").status_code == 200
