"""What a customer does, as flows: generators that yield what to ask or how long to pause, and return what came of it.

A flow knows no socket and no loop, so that the client and its asynchronous twin do the very same. Everything may be
repeated: what changes something carries an Idempotency-Key.
"""

import math
import mimetypes
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeVar

from backend.client.refusals import RequestRefused, TaskTimedOut, Unreachable, refusal
from backend.client.values import ApiKey, CreditEntry, Download, Output, Task, Value
from backend.clock import jitter, monotonic
from backend.errors import RequestInFlight

T = TypeVar("T")
V = TypeVar("V", bound=Value)
TRIES = 6
SLOWEST_RETRY = 10.0  # seconds; a Retry-After may ask for more
LONGEST_RETRY_AFTER = 60.0
PASSING = frozenset({429, 502, 503, 504})
LONG_POLL = 20.0
BETWEEN_POLLS = 0.2  # where the server answers a long poll at once
PAGE = 100
NOT_MODIFIED, NOTHING_MORE, BAD, FORBIDDEN = 304, 204, 400, 403
CREATED = "CREATED"
PART = ".part"
MOST_ANNOUNCED = 500  # files in one request: their names and the links to them are some 700 kB


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send, or a stretch of it. `path` or `content`."""

    filename: str
    path: Path | None = None
    content: bytes = b""
    offset: int = 0
    length: int | None = None

    @classmethod
    def of(cls, file: "Path | str | Source") -> "Source":
        return file if isinstance(file, Source) else cls(Path(file).name, Path(file))

    @property
    def size(self) -> int:
        if self.length is not None:
            return self.length
        return self.path.stat().st_size if self.path is not None else len(self.content)

    @property
    def content_type(self) -> str:
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    def part(self, number: int, part_bytes: int) -> "Source":
        offset = (number - 1) * part_bytes
        return replace(self, offset=offset, length=min(part_bytes, self.size - offset))

    def opened(self) -> IO[bytes]:
        """All of it."""
        return self.path.open("rb") if self.path is not None else BytesIO(self.content)

    def chunks(self, chunk_bytes: int = 2**18) -> Iterator[bytes]:
        left = self.size
        if self.path is None:
            yield self.content[self.offset : self.offset + left]
            return
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while left > 0 and (chunk := file.read(min(chunk_bytes, left))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True, slots=True)
class Order:
    """A task as it is asked for. `parameters` are by agent; `key` is its Idempotency-Key."""

    tool_id: str
    agents: Sequence[str] = ()
    parameters: Mapping[str, Any] | None = None
    priority: int = 0
    key: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        asked = {"tool_id": self.tool_id, "agents": list(self.agents), "parameters": dict(self.parameters or {})}
        return asked | {"priority": self.priority}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `path` is the API's, or a whole address of the file store, which is told no secret."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None  # sent before the source, as a browser does
    source: Source | None = None
    target: Path | None = None  # where the body of a good answer goes
    seconds: float | None = None  # of patience with this request; None: the client's

    @property
    def words(self) -> str:
        """Without a query: a link of the store is a secret."""
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is the body's JSON. `body` is empty where it went to a target; `sha256` and `size` are the body's."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    sha256: str = ""
    size: int = 0
    value: Any = None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Flow = Generator[Ask | Pause, Answer, T]


def asking(ask: Ask, tries: int, deadline: float = math.inf) -> Flow[Answer]:
    """Repeated while what went wrong may pass; raises what the last answer said."""
    for attempt in count(1):
        last = attempt >= tries or monotonic() >= deadline
        try:
            answer = yield ask
        except Unreachable:
            if last:
                raise
            wait = 0.0
        else:
            if answer.status < BAD:
                return answer
            error = refusal(answer.status, answer.headers.get("content-type", ""), answer.body, ask.words)
            if last or not (answer.status in PASSING or isinstance(error, RequestInFlight)):
                raise error
            wait = retry_after(answer.headers)
        pause = max(wait, jitter(min(SLOWEST_RETRY, 0.25 * 2**attempt)))
        yield Pause(min(pause, max(0.0, deadline - monotonic())))
    raise AssertionError("a count has no end")


def retry_after(headers: Mapping[str, str]) -> float:
    try:
        seconds = float(headers.get("retry-after", "0"))
    except ValueError:
        return 1.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else 1.0


@dataclass(frozen=True, slots=True)
class _Announcing:
    """Files that were announced together, and the key under which their links are asked for anew."""

    task_id: str
    role: str
    files: Mapping[str, Any]
    key: str

    def which(self, source: Source) -> dict[str, str]:
        """Names one of several."""
        return {"filename": source.filename} if isinstance(self.files["files"][self.role], list) else {}


def _announced(source: Source) -> dict[str, Any]:
    return {"filename": source.filename, "content_type": source.content_type, "size": source.size}


@dataclass(frozen=True, slots=True)
class Flows:
    """All that a customer may ask. `permit` is asked about each address of the file store that the API names."""

    tries: int = TRIES
    permit: Callable[[str], None] = lambda _url: None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Flow[Any]:
        """Any route: its JSON, None where there is none. What changes something gets a key of its own."""
        keyed = method not in {"GET", "HEAD"} and not path.startswith("/auth/")
        headers = {"Idempotency-Key": key or uuid.uuid4().hex} if keyed else {}
        tries = self.tries if keyed or method == "GET" else 1
        answer = yield from asking(Ask(method, path, params or {}, headers, body), tries)
        return answer.value

    def listed(
        self, path: str, name: str, kind: type[V], params: Mapping[str, str] | None = None, limit: int | None = None
    ) -> Flow[list[V]]:
        """One page after the other, to the end or the limit."""
        found: list[V] = []
        cursor: dict[str, str] = {}
        while True:
            page = yield from self.ask("GET", path, params={"limit": str(PAGE), **(params or {}), **cursor})
            found += [kind.of(row) for row in page[name]]
            if not page.get("next") or (limit is not None and len(found) >= limit):
                return found[:limit]
            cursor = {"cursor": page["next"]}

    # accounts

    def signed_in(self, path: str, email: str, password: str) -> Flow[Mapping[str, Any]]:
        tokens: Mapping[str, Any] = yield from self.ask("POST", path, {"email": email, "password": password})
        return tokens

    def balance(self) -> Flow[int]:
        return (yield from self.ask("GET", "/credits"))["balance"]  # type: ignore[no-any-return]

    def entries(self) -> Flow[list[CreditEntry]]:
        return (yield from self.listed("/credits/entries", "entries", CreditEntry))

    def api_keys(self) -> Flow[list[ApiKey]]:
        return [ApiKey.of(row) for row in (yield from self.ask("GET", "/auth/api-keys"))["api_keys"]]

    def create_api_key(self, name: str, scope: str | None, expires_in_days: int | None) -> Flow[ApiKey]:
        """A server that is older than scopes is asked as it always was, where none is named."""
        said = {"scope": scope, "expires_in_days": expires_in_days}
        asked = {"name": name} | {what: value for what, value in said.items() if value is not None}
        return ApiKey.of((yield from self.ask("POST", "/auth/api-keys", asked)))

    def revoke_api_key(self, key_id: str) -> Flow[None]:
        yield from self.ask("DELETE", f"/auth/api-keys/{key_id}")

    # tasks

    def create(self, order: Order) -> Flow[Task]:
        return Task.of((yield from self.ask("POST", "/tasks", order.body, key=order.key)))

    def process(self, task_id: str, key: str | None) -> Flow[None]:
        yield from self.ask("POST", f"/tasks/{task_id}/process", key=key)

    def submit(self, order: Order, files: Mapping[str, Source | Sequence[Source]], *, through_api: bool) -> Flow[Task]:
        """Create, upload, queue. Repeated with its key it is done once."""
        order = order if order.key else replace(order, key=uuid.uuid4().hex)
        created = yield from self.create(order)
        task = yield from self.task(created.task_id)
        if task.status != CREATED:  # an earlier call has come this far
            return task
        for role, sources in files.items():
            yield from self.upload(task.task_id, sources, role, through_api=through_api)
        yield from self.process(task.task_id, order.key)
        return (yield from self.task(task.task_id))

    def task(self, task_id: str) -> Flow[Task]:
        return Task.of((yield from self.ask("GET", f"/tasks/{task_id}")))

    def wait(self, task_id: str, timeout_s: float) -> Flow[Task]:
        """Raises TaskTimedOut."""
        deadline, etag = monotonic() + timeout_s, ""
        while True:
            began = monotonic()
            wait = max(0.0, min(LONG_POLL, deadline - began)) if etag else 0.0
            headers = {"If-None-Match": etag} if etag else {}
            patience = wait + max(1.0, min(LONG_POLL, deadline - began))
            asked = Ask("GET", f"/tasks/{task_id}", {"wait": f"{wait:.1f}"}, headers, seconds=patience)
            answer = yield from asking(asked, self.tries, deadline)
            if answer.status != NOT_MODIFIED:
                task = Task.of(answer.value)
                if task.ended:
                    return task
                etag = answer.headers.get("etag", "")
            if monotonic() >= deadline:
                raise TaskTimedOut(f"The task has not ended within {timeout_s:g} s.", task_id=task_id)
            if etag and wait and monotonic() - began < BETWEEN_POLLS:
                yield Pause(min(BETWEEN_POLLS, max(0.0, deadline - monotonic())))

    # files

    def upload(self, task_id: str, sources: Source | Sequence[Source], role: str, *, through_api: bool) -> Flow[None]:
        """To the file store, in parts where a file is large; or through the API, for who cannot reach the store.

        Several are for a role that takes several.
        """
        several = [sources] if isinstance(sources, Source) else list(sources)
        if through_api:
            for source in several:
                yield from self._send(task_id, source, role)
            return
        for start in range(0, len(several), MOST_ANNOUNCED):
            some = several[start : start + MOST_ANNOUNCED]
            announced = [_announced(source) for source in some]
            asked = announced[0] if isinstance(sources, Source) else announced
            announcing = _Announcing(task_id, role, {"files": {role: asked}}, uuid.uuid4().hex)
            yield from self._upload_all(announcing, some)

    def _send(self, task_id: str, source: Source, role: str) -> Flow[None]:
        path, headers = f"/tasks/{task_id}/inputs/{role}", {"Content-Type": source.content_type}
        asked = Ask("PUT", path, params={"filename": source.filename}, headers=headers, source=source)
        yield from asking(asked, self.tries)

    def _upload_all(self, announcing: "_Announcing", sources: Sequence[Source]) -> Flow[None]:
        links = yield from self._links(announcing)
        for at, source in enumerate(sources):
            try:
                yield from self._upload_one(announcing, at, source, links[at])
            except RequestRefused as refused:
                if at == 0 or refused.http_status != FORBIDDEN:
                    raise
                links = yield from self._links(announcing)  # the links live for minutes, many files take longer
                yield from self._upload_one(announcing, at, source, links[at])

    def _upload_one(self, announcing: "_Announcing", at: int, source: Source, link: Mapping[str, Any]) -> Flow[None]:
        if link["method"] == "POST":
            self.permit(link["url"])
            yield from asking(Ask("POST", link["url"], form=link["fields"], source=source), self.tries)
        else:
            yield from self._upload_parts(announcing, at, source, link)

    def _links(self, announcing: "_Announcing") -> Flow[Sequence[Mapping[str, Any]]]:
        """Asked again under the same key: new links to the same uploads, in the order of the files."""
        path = f"/tasks/{announcing.task_id}/upload-urls"
        uploads = (yield from self.ask("POST", path, announcing.files, key=announcing.key))["uploads"]
        found = uploads[announcing.role]
        return found if isinstance(found, list) else [found]

    def _upload_parts(self, announcing: "_Announcing", at: int, source: Source, link: Mapping[str, Any]) -> Flow[None]:
        sent = []
        for index in range(len(link["parts"])):
            number = link["parts"][index]["number"]
            piece = source.part(number, link["part_bytes"])
            try:
                answer = yield from self._put(link["parts"][index]["url"], piece)
            except RequestRefused as refused:
                if refused.http_status != FORBIDDEN:
                    raise
                # a link lives for minutes, a large file takes longer
                link = (yield from self._links(announcing))[at]
                answer = yield from self._put(link["parts"][index]["url"], piece)
            sent.append({"number": number, "etag": answer.headers.get("etag", "").strip('"')})
        path = f"/tasks/{announcing.task_id}/uploads/{announcing.role}/complete"
        yield from self.ask("POST", path, {"parts": sent}, params=announcing.which(source))

    def _put(self, url: str, piece: Source) -> Flow[Answer]:
        self.permit(url)
        return (yield from asking(Ask("PUT", url, source=piece), self.tries))

    def outputs(self, task_id: str) -> Flow[list[Output]]:
        return [Output.of(row) for row in (yield from self.ask("GET", f"/tasks/{task_id}/outputs"))["outputs"]]

    def download(
        self, task_id: str, directory: Path, names: Sequence[str] | None, *, through_api: bool
    ) -> Flow[list[Download]]:
        """A file appears under its name only once it is whole and what was promised."""
        wanted = [one for one in (yield from self.outputs(task_id)) if names is None or one.name in names]
        if missing := set(names or ()) - {one.name for one in wanted}:
            raise RequestRefused(f"The task has no output {', '.join(sorted(missing))}.")
        directory.mkdir(parents=True, exist_ok=True)
        found = []
        for output in wanted:
            one = yield from self._fetch(task_id, output, directory, through_api=through_api)
            found.append(one)
        return found

    def _fetch(self, task_id: str, output: Output, directory: Path, *, through_api: bool) -> Flow[Download]:
        path = directory / Path(output.name).name
        coming = path.with_name(path.name + PART)
        try:
            if through_api:
                answer = yield from asking(
                    Ask("GET", f"/tasks/{task_id}/outputs/{output.name}", target=coming), self.tries
                )
            else:
                answer = yield from self._fetch_from_store(task_id, output, coming)
            if answer.sha256 != output.sha256:
                raise RequestRefused(f"{output.name} arrived, but its checksum is another than the manifest's.")
            coming.replace(path)
        finally:
            coming.unlink(missing_ok=True)
        return Download(path, answer.size)

    def _fetch_from_store(self, task_id: str, output: Output, coming: Path) -> Flow[Answer]:
        self.permit(output.url)
        try:
            return (yield from asking(Ask("GET", output.url, target=coming), self.tries))
        except RequestRefused as refused:
            if refused.http_status != FORBIDDEN:
                raise
        [again] = [
            one for one in (yield from self.outputs(task_id)) if one.name == output.name
        ]  # links live for an hour
        self.permit(again.url)
        return (yield from asking(Ask("GET", again.url, target=coming), self.tries))
