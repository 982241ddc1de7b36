"""`python -m bench.slow_store PORT [MILLISECONDS]`: a store that answers each call a millisecond later, from memory.

It speaks as much of S3 as backend/storage/ sends to it in a task's life: objects put, read whole or in part, looked
at, listed and deleted. Nothing is signed, and no parts of large files: for measures, where moto's own work would be
what is measured.
"""

import asyncio
import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

MILLISECONDS = 1.0
BUCKET = "agensium"
_HEAD_ENDS = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)
_MODIFIED = "Mon, 02 Jan 2023 00:00:00 GMT"
_LISTED = "2023-01-02T00:00:00.000Z"


@dataclass
class Objects:
    """What is stored, by key with its bucket before it, and how often which kind of call came."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def put(self, path: str, body: bytes) -> str:
        self.bodies[path] = body
        self.etags[path] = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return self.etags[path]


@dataclass(frozen=True)
class Reply:
    status: int = HTTPStatus.OK
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None  # of what a HEAD does not bring

    def as_bytes(self) -> bytes:
        length = len(self.body) if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode() + _HEAD_ENDS + self.body


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other, as boto3 sends them."""

    def __init__(self, objects: Objects, seconds: float) -> None:
        self._objects, self._seconds = objects, seconds
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._next():
            pass

    def _next(self) -> bool:
        """Take one whole request out of what has come, if there is one."""
        if self._head is None and not self._read_head():
            return False
        assert self._head is not None
        method, target, headers = self._head
        length = int(headers.get("content-length", 0))
        if len(self._buffer) < length:
            return False
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        reply = answer(self._objects, method, target, headers, body)
        asyncio.get_running_loop().call_later(self._seconds, self._send, reply.as_bytes())
        return True

    def _read_head(self) -> bool:
        end = self._buffer.find(_HEAD_ENDS)
        if end < 0:
            return False
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + len(_HEAD_ENDS)]
        method, target, _ = first.split(" ")
        named = (line.partition(":") for line in lines)
        self._head = (method, target, {name.lower(): value.strip() for name, _, value in named})
        if "expect" in self._head[2]:
            self._send(_CONTINUE)
        return True

    def _send(self, answered: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(answered)


def answer(objects: Objects, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """What one request comes to."""
    parts = urlsplit(target)
    path, asked = unquote(parts.path).strip("/"), parse_qs(parts.query, keep_blank_values=True)
    objects.calls[method] = objects.calls.get(method, 0) + 1
    if "/" not in path:
        return _bucket(objects, method, asked, path, body)
    if method == "PUT":
        return Reply(headers=(("ETag", f'"{objects.put(path, body)}"'),))
    if method == "DELETE":
        objects.bodies.pop(path, None)
        return Reply(HTTPStatus.NO_CONTENT)
    return _read(objects, method, path, headers)


def _read(objects: Objects, method: str, path: str, headers: Mapping[str, str]) -> Reply:
    if path not in objects.bodies:
        return _refused(HTTPStatus.NOT_FOUND, "NoSuchKey")
    body, etag = objects.bodies[path], objects.etags[path]
    if headers.get("if-match", etag).strip('"') != etag:
        return _refused(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed")
    said = (("ETag", f'"{etag}"'), ("Last-Modified", _MODIFIED))
    if method == "HEAD":
        return Reply(headers=said, length=len(body))
    if "range" not in headers:
        return Reply(body=body, headers=said)
    first, _, last = headers["range"].removeprefix("bytes=").partition("-")
    piece = body[int(first) : int(last) + 1]
    within = f"bytes {first}-{int(first) + len(piece) - 1}/{len(body)}"
    return Reply(HTTPStatus.PARTIAL_CONTENT, piece, (*said, ("Content-Range", within)))


def _bucket(objects: Objects, method: str, asked: Mapping[str, list[str]], bucket: str, body: bytes) -> Reply:
    if method == "POST" and "delete" in asked:
        for key in _KEY.findall(body):
            objects.bodies.pop(f"{bucket}/{key.decode()}", None)
        return Reply(body=b"<DeleteResult/>")
    if method == "GET" and "list-type" in asked:
        return Reply(body=_listing(objects, bucket, asked.get("prefix", [""])[0]))
    if method == "GET" and "uploads" in asked:
        return Reply(body=b"<ListMultipartUploadsResult/>")
    return Reply()


def _listing(objects: Objects, bucket: str, prefix: str) -> bytes:
    found = sorted(path for path in objects.bodies if path.startswith(f"{bucket}/{prefix}"))
    contents = "".join(
        f"<Contents><Key>{escape(path.removeprefix(f'{bucket}/'))}</Key><Size>{len(objects.bodies[path])}</Size>"
        f'<ETag>"{objects.etags[path]}"</ETag><LastModified>{_LISTED}</LastModified></Contents>'
        for path in found
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


def _refused(status: HTTPStatus, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>{status.phrase}</Message></Error>".encode())


async def main(port: int, milliseconds: float) -> None:
    objects = Objects()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(objects, milliseconds / 1000), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else MILLISECONDS))
