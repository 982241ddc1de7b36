"""What a waiting agent gets, without a worker: models that are scripted by the words they are asked, and a journal."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.clock import monotonic
from backend.errors import AgensiumError
from backend.language_models.questions import Answer, Budget, Embedded, OnText, Question, Usage
from transformers.tool import Delivery, LocalFile
from transformers.waiting_agent import ItemResult, WaitingContext

Act = Answer | AgensiumError | Callable[[Question], Answer]


def echo(question: Question) -> Answer:
    words = question.messages[-1].content
    used = Usage(calls=1, input_tokens=len(words.split()), output_tokens=2)
    return Answer(content=f"echo: {words}", model=question.model, usage=used)


@dataclass
class ScriptedModels:
    """Echoes, unless `acts` has something for the last message; `pieces` are told before an answer."""

    acts: dict[str, Act] = field(default_factory=dict)
    pieces: Sequence[str] = ()
    seconds: float = 0.0
    asked: list[Question] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def ask(self, question: Question, _budget: Budget, on_text: OnText | None = None) -> Answer:
        self.asked.append(question)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for piece in self.pieces if on_text is not None else ():
                assert on_text is not None
                on_text(piece)
                await asyncio.sleep(0)
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        act = self.acts.get(question.messages[-1].content, echo)
        if isinstance(act, AgensiumError):
            raise act
        return act if isinstance(act, Answer) else act(question)

    async def embed(self, model: str, texts: Sequence[str], budget: Budget) -> Embedded:
        raise NotImplementedError


@dataclass
class MemoryJournal:
    positions: range
    items: dict[int, ItemResult] = field(default_factory=dict)
    writes: list[int] = field(default_factory=list)  # how many at a time
    fault: AgensiumError | None = None

    async def done(self) -> set[int]:
        return set(self.items) & set(self.positions)

    async def record(self, items: Sequence[ItemResult]) -> None:
        if self.fault is not None:
            raise self.fault
        self.writes.append(len(items))
        self.items |= {item.position: item for item in items if item.position not in self.items}

    async def every(self) -> AsyncIterator[ItemResult]:
        for position in sorted(self.items):
            yield self.items[position]


@dataclass
class Stage:
    """Its parts, and the context made of them."""

    folder: Path
    models: ScriptedModels = field(default_factory=ScriptedModels)
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(range(0)))
    told: list[dict[str, Any]] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    calls_at_once: int = 10

    async def _tell(self, said: Mapping[str, Any]) -> None:
        self.told.append(dict(said))

    def context(
        self,
        parameters: Any,
        *,
        files: Mapping[str, Path] | None = None,
        earlier: Mapping[str, Delivery] | None = None,
        last_try: bool = False,
    ) -> WaitingContext:
        given = {role: (LocalFile(role=role, name=path.name, path=path),) for role, path in (files or {}).items()}
        return WaitingContext(
            task_id=uuid.UUID(int=1),
            user_id=7,
            parameters=parameters,
            forms={},
            files=given,
            earlier=earlier or {},
            inputs={},
            scratch=self.folder,
            models=self.models,
            default_model="compatible:echo",
            calls_at_once=self.calls_at_once,
            deadline=monotonic() + 60,
            journal=self.journal,
            vectors=None,
            last_try=last_try,
            report_progress=self.progress.append,
            tell=self._tell,
        )
