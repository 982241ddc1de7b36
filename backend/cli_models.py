"""The customer's commands for language models: generate, batch, ingest, search.

As cli_customer.py: what was asked for goes to standard output, everything else to standard error, the same exit codes.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli_screen import as_json as _as_json
from backend.cli_session import customer, say
from backend.client import AgensiumClient, Answered
from backend.client.model_flows import said

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
Model = Annotated[str | None, typer.Option(help="As provider:model; the default one where nothing is said.")]
System = Annotated[str | None, typer.Option(help="What the model is told first.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="The longest answer.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds of patience; the task goes on after them.")]
TEXT = "text"


def generate(
    prompt: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    *,
    model: Model = None,
    system: System = None,
    max_tokens: MaxTokens = None,
    schema: Annotated[Path | None, typer.Option(exists=True, help="A JSON Schema that the answer must fit.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer while it is written.")] = False,
    timeout: Timeout = 600.0,
    as_json: Json = False,
) -> None:
    """Ask a language model; prints its answer."""
    asked = sys.stdin.read() if prompt == "-" else prompt
    options = said({"model": model, "system": system, "max_tokens": max_tokens, "output_schema": _json_in(schema)})
    with customer() as client:
        if stream and not as_json:
            _stream(client, {"prompt": asked, **options})
            return
        found = client.generate(asked, timeout_s=timeout, **options)
    print(_as_json(found) if as_json else found.content)


def batch(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The questions: jsonl, json or csv.")],
    *,
    model: Model = None,
    system: System = None,
    max_tokens: MaxTokens = None,
    timeout: Timeout = 3600.0,
) -> None:
    """Ask many questions at once; prints a line of JSON an item, in the order of the file."""
    form = said({"model": model, "system": system, "max_tokens": max_tokens})
    with customer() as client:
        task = client.submit("batch-inference", files={"items": file}, parameters={"generate": form})
        say(f"Task {task.task_id}")
        ended = client.wait(task.task_id, timeout)
        items = client.items(task.task_id)
    for item in items:
        print(json.dumps(_line(item), ensure_ascii=False))
    if not ended.succeeded or any(not item.ok for item in items):
        raise typer.Exit(1)


def ingest(
    collection: Annotated[str, typer.Argument(help="Lower-case letters, digits, - and _.")],
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="The documents.")],
    *,
    metadata: Annotated[
        list[str] | None, typer.Option("--metadata", "-m", help="name=value, the value as JSON; repeatable.")
    ] = None,
    timeout: Timeout = 3600.0,
    as_json: Json = False,
) -> None:
    """Make documents searchable; done again, they are replaced."""
    described = dict(_value(one) for one in metadata or ())
    with customer() as client:
        found = client.ingest_document(files, collection, metadata=described or None, timeout_s=timeout)
    if as_json:
        print(_as_json(found.collections))
        return
    say(f"{collection} can be searched. agensium search {collection} …")


def search(
    collection: Annotated[str, typer.Argument(help="The collection's name.")],
    query: Annotated[str, typer.Argument(help="What to look for, in words.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 5,
    where: Annotated[
        list[str] | None, typer.Option("--where", "-w", help="name=value over the metadata; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find what is nearest in meaning."""
    filters = dict(_value(one) for one in where or ())
    with customer() as client:
        hits = client.search(collection, query, limit=limit, filters=filters or None)
    if as_json:
        print(_as_json(hits))
        return
    for hit in hits:
        print(f"{hit.score:.3f}  {hit.document} #{hit.position}\n       {' '.join(hit.content.split())[:200]}")


def _stream(client: AgensiumClient, form: dict[str, Any]) -> None:
    """Its text as it comes. What was begun anew stays on the screen, so the whole answer then follows once more."""
    task = client.submit("generate-text", parameters={"generate": {**form, "stream": True}})
    told = ""
    for event in client.follow(task.task_id):
        if event.kind == TEXT:
            told += str(event.data.get(TEXT, ""))
            print(event.data.get(TEXT, ""), end="", flush=True)
    content = client.get_result(task.task_id).value["content"]
    print("" if told == content else f"\n{content}" if told else content)


def _line(item: Answered) -> dict[str, Any]:
    error = None if item.error is None else {"code": item.error.code, "message": item.error.message}
    return {
        "custom_id": item.custom_id,
        "position": item.position,
        "ok": item.ok,
        "error": error,
        **(item.answer or {}),
    }


def _json_in(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise typer.BadParameter(f"{path} holds no JSON.") from None


def _value(said_so: str) -> tuple[str, Any]:
    """`name=value`: JSON where it is JSON, text where it is not."""
    name, equals, value = said_so.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{said_so!r} is not name=value.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
