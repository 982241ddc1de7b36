"""From a flow's request to httpx's, and from httpx's answer to a flow's. The same for both clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from backend.client.flows import Answer, Ask

STREAM_TIMEOUT = httpx.Timeout(30.0, read=45.0)  # the server gives a sign of life every 15 s
FILE_TIMEOUT = httpx.Timeout(300.0, connect=30.0)


@contextmanager
def request_of(
    http: "httpx.Client | httpx.AsyncClient",
    ask: Ask,
    secret: Mapping[str, str],
    *,
    timeout: httpx.Timeout | None = None,
) -> Iterator[httpx.Request]:
    """Sent within. Our secret goes to our own address only, never to the file store."""
    elsewhere = ask.path.startswith(("http://", "https://"))
    headers = dict(ask.headers) | ({} if elsewhere else dict(secret))
    more: dict[str, Any] = {}
    if ask.json is not None:
        more["json"] = ask.json
    if ask.source is not None and ask.form is not None:
        more["data"] = dict(ask.form)
    elif ask.source is not None:
        chunks = ask.source.chunks()
        more["content"] = _in_a_thread(chunks) if isinstance(http, httpx.AsyncClient) else chunks
        headers["Content-Length"] = str(ask.source.size)
    if ask.seconds is not None:
        timeout = httpx.Timeout(ask.seconds)
    elif timeout is None and (ask.source is not None or ask.target is not None):
        timeout = FILE_TIMEOUT
    if timeout is not None:
        more["timeout"] = timeout
    if ask.params:
        more["params"] = dict(ask.params)
    with ExitStack() as files:
        if ask.source is not None and ask.form is not None:
            content = files.enter_context(ask.source.opened())
            more["files"] = {"file": (ask.source.filename, content, ask.source.content_type)}
        yield http.build_request(ask.method, ask.path, headers=headers, **more)


def answer_of(answer: httpx.Response, body: bytes) -> Answer:
    is_json = "json" in answer.headers.get("content-type", "") and body
    value = json.loads(body) if is_json and not answer.is_error else None
    return Answer(answer.status_code, answer.headers, body, size=len(body), value=value)


async def _in_a_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
