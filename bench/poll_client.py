"""The pollers of `python -m bench.follow`: one task, a few connections, each asking again as soon as it is answered."""

import asyncio
import json
import sys
import time
from collections import Counter

CONNECTIONS = 16


async def poll(port: int, task_id: str, token: str, until: float, found: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /tasks/{task_id} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    etag = b'"none"'
    while time.monotonic() < until:
        writer.write(head.encode() + b"If-None-Match: " + etag + b"\r\n\r\n")
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status = int(lines[0].split()[1])
        headers = {line.split(b": ")[0].lower(): line.split(b": ", 1)[1] for line in lines[1:] if line}
        if status == 200:
            await reader.readexactly(int(headers[b"content-length"]))
        etag = headers[b"etag"]
        found[status] += 1
    writer.close()


async def run(port: int, task_id: str, token: str, seconds: float) -> dict[str, object]:
    found: Counter[int] = Counter()
    began = time.monotonic()
    await asyncio.gather(*(poll(port, task_id, token, began + seconds, found) for _ in range(CONNECTIONS)))
    took = time.monotonic() - began
    return {"requests": found.total(), "seconds": round(took, 2), "by_status": {str(k): v for k, v in found.items()}}


if __name__ == "__main__":
    port, task_id, token, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(run(int(port), task_id, token, float(seconds)))))
