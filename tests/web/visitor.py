"""Somebody with a browser. Whatever the page does that it must not do is noted, and `is_content` says so."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
START = "What shall we do with your data?"  # the heading of #/new
PASSWORD = "correct horse battery staple"
PATIENCE = 120_000  # ms: the first stream of a fresh installation compiles the libraries of three providers
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 375, "height": 760}
BESIDE_THE_PAGE = httpx.Client(timeout=20, trust_env=False)  # one: its certificates take 30 ms to load
LISTEN = """document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""

FIND = """if (!sessionStorage.getItem('found')) {  // once: afterwards the page keeps a newer one
    sessionStorage.setItem('found', 'yes'); sessionStorage.setItem('agensium.refresh', %s) }"""


def chromium_or_skip() -> str:
    if not CHROMIUM:
        assert os.environ.get("CI") != "true", "There is no Chromium: apt-get install chromium (.ci/run does)."
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    return CHROMIUM


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_or_skip(), args=list(ARGUMENTS))
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Visitor:
    """One tab at the page, and the account it may use."""

    page: Page
    origin: str
    email: str = field(default_factory=lambda: f"{uuid.uuid4().hex}@example.com")
    faults: list[str] = field(default_factory=list)
    token: str = ""

    @classmethod
    def at(cls, context: BrowserContext, origin: str) -> "Visitor":
        context.set_default_timeout(PATIENCE)
        visitor = cls(context.new_page(), origin)
        visitor.page.add_init_script(LISTEN)
        visitor.page.on("request", visitor._note_stranger)
        visitor.page.on("pageerror", lambda error: visitor.faults.append(f"error: {error}"))
        visitor.page.on("console", lambda said: visitor.faults.append(said.text) if said.type == "error" else None)
        return visitor

    def _note_stranger(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.faults.append(f"left the origin: {request.url}")

    def is_content(self, *, but_for: str = "\0") -> None:
        """No request left the origin, the policy was never broken, nothing went to the console as an error."""
        faults = [fault for fault in self.faults if but_for not in fault]
        assert not faults, faults  # said here: pytest rewrites assertions of tests only

    def register(self) -> None:
        self.page.goto(self.origin)
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Open an account").click()
        self.sees(START)

    def signed_in(self) -> None:
        """As after a reload: the page finds a refresh token in its tab's storage."""
        tokens = self._ask("POST", "/auth/register", {"email": self.email, "password": PASSWORD})
        self.token = tokens["access_token"]
        self.page.add_init_script(FIND % json.dumps(tokens["refresh_token"]))
        self.page.goto(self.origin)
        self.sees(START)

    def submit(self, tool_id: str, body: bytes, name: str = "people.csv", role: str = "primary", **asked: Any) -> str:
        """A task of this account, made without the page; its id."""
        task_id: str = self._ask("POST", "/tasks", {"tool_id": tool_id, **asked})["task_id"]
        path = f"{self.origin}/tasks/{task_id}/inputs/{role}?filename={name}"
        BESIDE_THE_PAGE.put(path, content=body, headers=self._headers).raise_for_status()
        self._ask("POST", f"/tasks/{task_id}/process", {})
        return task_id

    def ask(self, path: str) -> Any:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = BESIDE_THE_PAGE.request(method, self.origin + path, json=body, headers=self._headers)
        assert answer.is_success, answer.text
        return answer.json()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def goes_to(self, place: str) -> None:
        self.page.goto(f"{self.origin}/#{place}")

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", name=heading, level=1)).to_be_visible(timeout=PATIENCE)

    def sees_state(self, said: str) -> None:
        expect(self.page.get_by_test_id("status")).to_have_text(said, timeout=PATIENCE)

    def sees_report(self) -> None:
        expect(self.page.get_by_test_id("report")).to_be_visible(timeout=PATIENCE)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def opens_tab(self, title: str) -> None:
        self.page.get_by_role("navigation", name="Report").get_by_role("link", name=title, exact=True).click()

    @property
    def tabs(self) -> list[str]:
        return self.page.get_by_role("navigation", name="Report").get_by_role("link").all_inner_texts()

    def drops(self, name: str, body: bytes) -> None:
        file = {"name": name, "mimeType": "text/csv", "buffer": body}
        self.page.get_by_label("Choose a file", exact=True).set_input_files(file)

    def downloads(self, name: str, directory: Path) -> Path:
        with self.page.expect_download() as download:
            self.button(f"Download {name}").click()
        path = directory / download.value.suggested_filename
        download.value.save_as(path)
        return path

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
