"""`python -m bench.model_door`: what a question costs this side, in milliseconds of CPU, by either lane.

The whole way of `LanguageModels.ask`, fifty at once, against the scripted model in a process of its own.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backend.clock import monotonic
from backend.language_models.door import LanguageModels
from backend.language_models.questions import Budget, Message, Question, Role
from backend.settings import Settings

AT_ONCE = 50
WARM = 100
BAR = 0.45  # milliseconds: with its share of the journal, 10,000 calls leave two cores room in 5 s


@dataclass(frozen=True)
class Kind:
    name: str
    calls: int
    bar: float | None = None
    question: dict[str, Any] = field(default_factory=dict)
    on_text: Callable[[str], None] | None = None


KINDS = (
    Kind("plain, the lean lane", 5_000, BAR),
    Kind("with a schema, the lean lane", 2_000, question={"output_schema": {"type": "string"}}),
    Kind("streamed, the lane of pydantic-ai", 1_000, on_text=lambda _: None),
)


def main() -> int:
    command = [sys.executable, "-m", "tests.model_server", "--delay", "20"]
    with tempfile.TemporaryFile() as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as server:
        assert server.stdout is not None
        url = server.stdout.readline().decode().strip()
        try:
            return asyncio.run(_measure(url))
        finally:
            server.kill()


async def _measure(url: str) -> int:
    os.environ["AGENSIUM_NO_ENV_FILE"] = "1"
    settings = Settings(models=("compatible:echo",), compatible_base_url=url, _env_file=None)
    models = LanguageModels(settings, shared=False)
    missed = 0
    for kind in KINDS:
        await _many(models, kind, WARM)
        began = time.process_time()
        await _many(models, kind, kind.calls)
        each = 1000 * (time.process_time() - began) / kind.calls
        missed += kind.bar is not None and each > kind.bar
        print(f"{kind.name}: {each:.2f} ms of CPU a call" + (f" (at most {kind.bar})" if kind.bar else ""))
    return 1 if missed else 0


async def _many(models: LanguageModels, kind: Kind, calls: int) -> None:
    numbers, spend = iter(range(calls)), Budget(deadline=monotonic() + 300, retries=0)

    async def asker() -> None:
        for number in numbers:
            asked = Question(
                model="compatible:echo",
                messages=(Message(role=Role.USER, content=f'"question {number}"'),),
                **kind.question,
            )
            await models.ask(asked, spend, kind.on_text)

    await asyncio.gather(*(asker() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    sys.exit(main())
